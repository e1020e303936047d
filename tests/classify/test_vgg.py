"""VGG16 is VGG16: names, layers and files of weights."""

import hashlib
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.signal import correlate2d
from toy_vgg import random_weights, write_weights

from xfelspi.classify import Vgg16, load_vgg16, vgg_weights
from xfelspi.classify.picture import Picture
from xfelspi.errors import InputError

CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # in torchvision's `features`
POOLED_AFTER = (2, 7, 14, 21, 28)


@pytest.fixture(scope="module")
def weights():
    return random_weights()


@pytest.fixture
def path(weights, tmp_path):
    return write_weights(tmp_path / "vgg16.safetensors", weights)


def plain_forward(weights, image):
    """Every convolution's rectified output, in float64 NumPy, by the definition: (channels, y, x) each."""
    outputs = []
    x = image.astype(float)
    for index in CONVOLUTIONS:
        kernel = weights[f"features.{index}.weight"].double().numpy()
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        _, ny, nx = x.shape
        moved = [[padded[:, dy : dy + ny, dx : dx + nx] for dx in range(3)] for dy in range(3)]
        x = np.einsum("ocij,ijcyx->oyx", kernel, np.array(moved), optimize=True)
        x = np.maximum(x + weights[f"features.{index}.bias"].double().numpy()[:, None, None], 0)
        outputs.append(x)
        if index in POOLED_AFTER:
            x = x.reshape(len(x), ny // 2, 2, nx // 2, 2).max((2, 4))
    return outputs


def assert_same_layers(weights, image):
    network = Vgg16(whole=False).eval()
    network.load_state_dict(weights)
    x = torch.from_numpy(image[None])
    ours = []
    with torch.inference_mode():
        for index, layer in enumerate(network.features):
            x = layer(x)
            if index - 1 in CONVOLUTIONS:
                ours.append(x[0].numpy())
    plain = plain_forward(weights, image)
    assert len(ours) == len(plain) == 13
    for number, (one, other) in enumerate(zip(ours, plain, strict=True), start=1):
        assert other.max() > 0, number
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 * other.max(), err_msg=f"layer {number}")


def test_thirteen_layers_equal_a_plain_forward_pass(weights, rng):
    assert_same_layers(weights, rng.normal(0, 60, (3, 32, 32)).astype(np.float32))


def test_the_plain_convolution_is_scipys(weights, rng):
    """So that the judge is judged: the first layer, channel by channel."""
    image = rng.normal(0, 60, (3, 32, 32))
    kernel, bias = (weights[f"features.0.{name}"].double().numpy() for name in ("weight", "bias"))
    first = plain_forward(weights, image)[0]
    for channel in (0, 63):
        parts = [correlate2d(image[c], kernel[channel, c], mode="same") for c in range(3)]
        np.testing.assert_allclose(first[channel], np.maximum(sum(parts) + bias[channel], 0), atol=1e-9)


def test_oxfords_weights_equal_a_plain_forward_pass(measured, rng):
    files = sorted((measured / "vgg16").glob("*.safetensors"))
    if not files:
        pytest.skip("no weights: XFELSPI_TEST_DATA has no vgg16/*.safetensors")
    loaded = load_vgg16(files[0])
    assert (loaded.convention, loaded.whole) == ("bgr", False)
    counts = torch.from_numpy(rng.poisson(3.0, (1, 64, 64)).astype(np.float32))
    assert_same_layers(loaded.tensors, Picture("log", loaded.convention)(counts)[0].numpy())


def test_names_are_torchvisions():
    with torch.device("meta"):
        names = list(Vgg16().state_dict())
    parts = [f"features.{index}" for index in CONVOLUTIONS] + [f"classifier.{index}" for index in (0, 3, 6)]
    assert names == [f"{part}.{kind}" for part in parts for kind in ("weight", "bias")]
    with torch.device("meta"):
        assert sum(tensor.numel() for tensor in Vgg16().state_dict().values()) == 138_357_544


def test_the_layers_on_top_are_those_of_the_paper():
    """Three in a row, rectified between, on fields of 7 x 7: written out with small numbers."""
    network = Vgg16(whole=False)
    sizes = ((25088, 5), (5, 4), (4, 3))
    lines = [torch.nn.Linear(*size) for size in sizes]
    layers = [lines[0], torch.nn.ReLU(), torch.nn.Dropout(), lines[1], torch.nn.ReLU(), torch.nn.Dropout()]
    network.classifier = torch.nn.Sequential(*layers, lines[2]).eval()
    seen = torch.rand(2, 512, 7, 7)
    with torch.inference_mode():
        fc6 = lines[0](seen.flatten(1)).relu()
        fc7 = lines[1](fc6).relu()
        torch.testing.assert_close(network.hidden(seen, 1), fc6)
        torch.testing.assert_close(network.hidden(seen, 2), fc7)
        torch.testing.assert_close(network.classifier(network.pooled(seen)), lines[2](fc7))
        even = torch.rand(1, 512, 1, 1)  # so that maps of another size say the same
        pooled = network.pooled(even.expand(-1, -1, 4, 4))
        torch.testing.assert_close(pooled, even.expand(-1, -1, 7, 7).flatten(1))


def test_half_precision_is_taken_to_single(weights, tmp_path):
    halves = {name: tensor.half() for name, tensor in weights.items()}
    loaded = load_vgg16(write_weights(tmp_path / "half.safetensors", halves, "rgb"))
    assert loaded.convention == "rgb"
    for name, tensor in loaded.tensors.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, halves[name].float())


def test_torchvisions_file_is_read_and_takes_its_images(weights, tmp_path):
    torch.save(weights, tmp_path / "vgg16.pth")
    loaded = load_vgg16(tmp_path / "vgg16.pth")
    assert loaded.convention == "rgb"
    assert all(torch.equal(tensor, weights[name]) for name, tensor in loaded.tensors.items())
    assert loaded.sha256 == hashlib.sha256((tmp_path / "vgg16.pth").read_bytes()).hexdigest()


class Trap:
    """What a pickle may do to whoever opens it."""

    def __reduce__(self):
        return (print, ("sprung",))


def without(name):
    return lambda weights: {key: tensor for key, tensor in weights.items() if key != name}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (without("features.28.bias"), "features.28.bias"),
        (lambda weights: weights | {"features.0.bias": torch.zeros(63)}, "features.0.bias"),
        (
            lambda weights: weights | {"features.0.bias": torch.zeros(64).int()},
            "features.0.bias",
        ),
        (lambda weights: weights | {"classifier.9.bias": torch.zeros(1)}, "classifier."),
        (lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()}, "features.0.bias"),
    ],
)
def test_other_weights_are_refused_in_one_sentence(weights, tmp_path, change, named):
    path = write_weights(tmp_path / "other.safetensors", change(weights))
    with pytest.raises(InputError, match=re.escape(named)) as caught:
        load_vgg16(path)
    assert vgg_weights.ADDRESS in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_files_and_none_are_refused_in_one_sentence(path, weights, tmp_path, capsys):
    path.write_bytes(path.read_bytes()[:-1000])
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "noise.pth").write_bytes(bytes(range(256)) * 9)
    torch.save(weights, tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:-1000])
    torch.save({"weight": Trap()}, tmp_path / "trap.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    for name in (path.name, "empty.pth", "noise.pth", "cut.pth", "trap.pth", "list.pth", "absent.pth", "."):
        with pytest.raises(InputError, match="get https") as caught:
            load_vgg16(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert "sprung" not in capsys.readouterr().out


def test_a_file_that_does_not_tell_its_images_is_refused(path):
    save_file(load_file(path), path)
    with pytest.raises(InputError, match="BGR"):
        load_vgg16(path)


def test_convolutions_alone_have_no_fc7(path):
    with pytest.raises(InputError, match="fc6 and fc7"):
        load_vgg16(path).network(whole=True)


def test_both_conventions_are_what_their_makers_say():
    """White and black, written out: Caffe's blue, green, red, and torchvision's red, green, blue."""
    frame = torch.tensor([[[0.0, 9.0]]])
    black, white = Picture("sqrt", "bgr")(frame)[0, :, 0].T
    torch.testing.assert_close(black, -torch.tensor([103.939, 116.779, 123.68]))
    torch.testing.assert_close(white - black, torch.full((3,), 255.0))
    black, white = Picture("sqrt", "rgb")(frame)[0, :, 0].T
    torch.testing.assert_close(black, -torch.tensor([0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225]))
    torch.testing.assert_close(white - black, 1 / torch.tensor([0.229, 0.224, 0.225]))


def test_the_picture_is_that_of_a_brighter_pulse_only_with_roots(rng):
    """Roots of counts over their highest do not know the pulse; every picture is grey and fills its range."""
    counts = torch.from_numpy(rng.poisson(5.0, (2, 8, 8)).astype(np.float32))
    torch.testing.assert_close(Picture("sqrt", "bgr")(9 * counts), Picture("sqrt", "bgr")(counts))
    grey = Picture("log", "rgb")(counts)
    shares = counts.log1p() / counts.log1p().amax((1, 2), keepdim=True)
    for channel, (mean, deviation) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        torch.testing.assert_close(grey[:, channel] * deviation + mean, shares)
    empty = Picture("log", "bgr")(torch.full((1, 4, 4), -1.0))
    assert torch.isfinite(empty).all()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    """A web server of one's own; the name of what it has ends as its checksum begins."""
    (tmp_path / "web").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "web"))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_weights_are_fetched_once_and_checked(address, weights, tmp_path, monkeypatch):
    torch.save(weights, tmp_path / "web" / "vgg16.pth")
    digest = hashlib.sha256((tmp_path / "web" / "vgg16.pth").read_bytes()).hexdigest()
    (tmp_path / "web" / "vgg16.pth").rename(tmp_path / "web" / f"vgg16-{digest[:8]}.pth")
    monkeypatch.setenv("XFELSPI_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(vgg_weights.VARIABLE, raising=False)
    monkeypatch.setattr(vgg_weights, "ADDRESS", f"{address}/vgg16-{digest[:8]}.pth")
    told = []
    loaded = load_vgg16(progress=lambda _, fraction: told.append(fraction))
    assert loaded.sha256 == digest
    assert told[-1] == 1
    assert loaded.path.parent == tmp_path / "cache"
    (tmp_path / "web" / f"vgg16-{digest[:8]}.pth").unlink()
    assert load_vgg16().sha256 == digest  # from the cache
    assert vgg_weights.find_vgg16(digest, "nowhere").path == loaded.path


def test_what_is_fetched_whole_or_not_at_all(address, tmp_path, monkeypatch):
    monkeypatch.setenv("XFELSPI_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(vgg_weights.VARIABLE, raising=False)
    (tmp_path / "web" / "vgg16-00000000.pth").write_bytes(b"another file")
    for there, said in (("vgg16-00000000.pth", "not the file"), ("vgg16-11111111.pth", "cannot be fetched")):
        monkeypatch.setattr(vgg_weights, "ADDRESS", f"{address}/{there}")
        with pytest.raises(InputError, match=said) as caught:
            load_vgg16()
        assert "--weights" in str(caught.value)
        assert list((tmp_path / "cache").iterdir()) == []


def test_the_variable_names_the_weights(path, monkeypatch):
    monkeypatch.setenv(vgg_weights.VARIABLE, str(path))
    assert load_vgg16().path == path
    with pytest.raises(vgg_weights.WeightsMissing, match=vgg_weights.VARIABLE):
        vgg_weights.find_vgg16("0" * 64, str(path))
