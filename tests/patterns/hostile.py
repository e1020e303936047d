"""Files made to harm whoever opens them, by hand; each returns what to type after `xfel info`."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import toy_formats as toy
from PIL import Image
from toy_patterns import write as write_own

MARK = "EXECUTED"
"""The file that appears in the folder when code out of a file was run."""

Maker = Callable[[Path], list[str]]
MAKERS: dict[str, Maker] = {}

DETECTOR = "entry_1/instrument_1/detector_1"


def hostile(maker: Maker) -> Maker:
    """Add a maker to the list."""
    MAKERS[maker.__name__] = maker
    return maker


def of_hdf5(name: str, fill: Callable[[h5py.File], object]) -> None:
    """Add an HDF5 file that `fill` writes."""

    def maker(folder: Path) -> list[str]:
        path = folder / "a.h5"
        with h5py.File(path, "w") as file:
            fill(file)
        return [str(path)]

    MAKERS[name] = maker


def of_good(
    name: str, write: Callable[[Path], Path], spoil: Callable[[h5py.File], object], stem: str
) -> None:
    """Add a good file that `spoil` changes."""

    def maker(folder: Path) -> list[str]:
        path = write(folder / stem)
        with h5py.File(path, "a") as file:
            spoil(file)
        return [str(path)]

    MAKERS[name] = maker


def replaced(place: str, value: object) -> Callable[[h5py.File], None]:
    """Put another value in a dataset's place."""

    def spoil(file: h5py.File) -> None:
        parent = place.rpartition("/")[0]
        for there in (place, parent):
            if isinstance(file.get(there or "/"), h5py.Dataset):
                del file[there]
        file[place] = value

    return spoil


def declared(place: str, shape: tuple[int, ...], dtype: str = "f8") -> Callable[[h5py.File], None]:
    """Declare a dataset in chunks none of which is there."""

    def spoil(file: h5py.File) -> None:
        if place in file:
            del file[place]
        file.create_dataset(place, shape, dtype, chunks=tuple(min(edge, 64) for edge in shape))

    return spoil


class Trap:
    """Unpickled, it leaves `MARK`."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (self.mark, "w"))


# --- HDF5 --------------------------------------------------------------------------------------------------

STACK = np.ones((3, 8, 8), np.float32)
OTHER_TYPES = {
    "strings": np.full((3, 8, 8), b"x"),
    "compound": np.zeros((3, 8, 8), [("a", "f4"), ("b", "i2")]),
    "complex": STACK.astype(complex),
    "bytes": np.zeros((3, 8, 8), "V7"),
    "of_one_dimension": np.ones(9),
    "of_five_dimensions": np.ones((1, 2, 3, 4, 5)),
    "a_scalar": 7,
    "empty_space": h5py.Empty("f4"),
    "nan": STACK * np.nan,
    "infinite": STACK * -np.inf,
    "negative": -STACK,
    "huge_numbers": np.full((3, 8, 8), np.iinfo(np.int64).min),
    "long_double": STACK.astype(np.longdouble),
    "half": STACK.astype(np.float16) * 60_000,
}
for _name, _value in OTHER_TYPES.items():
    of_hdf5(f"hdf5_frames_{_name}", lambda file, value=_value: replaced("data", value)(file))
of_hdf5("hdf5_frames_variable", lambda f: f.create_dataset("data", (3, 8, 8), h5py.vlen_dtype(np.int32)))
of_hdf5("hdf5_frames_references", lambda f: f.create_dataset("data", (3, 8, 8), h5py.ref_dtype))
of_hdf5("hdf5_frames_type_only", lambda f: replaced("data", np.dtype("f8"))(f))
of_hdf5("hdf5_frames_many", declared("data", (10**10, 64, 64)))
of_hdf5("hdf5_frames_large", declared("data", (1, 10**6, 10**6)))
of_hdf5("hdf5_frames_large_but_few_bytes", declared("data", (2**40, 1, 1), "u1"))
of_hdf5(
    "hdf5_frames_own_chunks_of_nothing",
    lambda f: f.create_dataset(
        "data", (2**31, 64, 64), "<u2", chunks=(1, 64, 64), shuffle=True, compression="gzip"
    ),
)
of_hdf5("hdf5_many_groups", lambda f: f.create_group("/".join("g" * 3000)))
of_hdf5("hdf5_many_datasets", lambda f: [f.create_dataset(f"d{i}", (1, 2, 2), "f4") for i in range(3000)])
of_hdf5(
    "hdf5_names",
    lambda f: [f.create_dataset(n, (3, 8, 8), "f4") for n in ("a\nb", "\x1b[31mred", "x" * 9999, "ü")],
)
of_hdf5(
    "hdf5_circle_of_links",
    lambda f: [f.__setitem__("a", h5py.SoftLink("/b/a")), f.__setitem__("b", h5py.SoftLink("/a/b"))],
)
of_hdf5("hdf5_link_to_itself_outside", lambda f: f.__setitem__("data", h5py.ExternalLink("a.h5", "data")))
of_hdf5("hdf5_link_to_a_secret", lambda f: f.__setitem__("data", h5py.ExternalLink("/etc/passwd", "data")))


@hostile
def hdf5_circle_of_files_followed(folder: Path) -> list[str]:
    for one, other in (("a.h5", "b.h5"), ("b.h5", "a.h5")):
        with h5py.File(folder / one, "w") as file:
            file["data"] = h5py.ExternalLink(other, "data")
    return [str(folder / "a.h5"), "--dataset", "data", "--follow-links"]


@hostile
def hdf5_virtual_of_a_secret(folder: Path) -> list[str]:
    with h5py.File(folder / "a.h5", "w") as file:
        layout = h5py.VirtualLayout((3, 8, 8), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "data", (3, 8, 8))
        file.create_virtual_dataset("data", layout)
    return [str(folder / "a.h5")]


@hostile
def hdf5_virtual_of_itself(folder: Path) -> list[str]:
    with h5py.File(folder / "a.h5", "w") as file:
        layout = h5py.VirtualLayout((3, 8, 8), "f4")
        layout[:] = h5py.VirtualSource(".", "data", (3, 8, 8))
        file.create_virtual_dataset("data", layout)
    return [str(folder / "a.h5")]


@hostile
def hdf5_virtual_of_little(folder: Path) -> list[str]:
    with h5py.File(folder / "a.h5", "w") as file:
        file["little"] = np.ones((2, 8, 8), "f4")
        layout = h5py.VirtualLayout((10**9, 800, 800), "f4")
        layout[:2, :8, :8] = h5py.VirtualSource(file["little"])
        file.create_virtual_dataset("data", layout)
    return [str(folder / "a.h5"), "--dataset", "data"]


@hostile
def hdf5_storage_in_a_secret(folder: Path) -> list[str]:
    (folder / "secret").write_bytes(bytes(10_000))
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("data", (3, 8, 8), "f4", external=[(folder / "secret", 0, 768)])
    return [str(folder / "a.h5")]


def _bomb(n_bytes: int, wbits: int = 15) -> bytes:
    """Compressed zeros, made block by block since each is the same."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * ((n_bytes >> 20) - 1) + packer.flush()


def _bomb_in_chunk(folder: Path, shape: tuple[int, int, int], shuffle: bool) -> list[str]:
    with h5py.File(folder / "a.h5", "w") as file:
        data = file.create_dataset(
            "data", shape, "<u2", chunks=(1, *shape[1:]), shuffle=shuffle, compression="gzip"
        )
        for index in range(shape[0]):
            data.id.write_direct_chunk((index, 0, 0), _bomb(4 << 30))
    return [str(folder / "a.h5")]


@hostile
def hdf5_bomb_in_our_chunks(folder: Path) -> list[str]:
    return _bomb_in_chunk(folder, (2, 64, 64), True)


@hostile
def hdf5_bomb_in_other_chunks(folder: Path) -> list[str]:
    return _bomb_in_chunk(folder, (2, 64, 64), False)


# --- CXI and our own ---------------------------------------------------------------------------------------

for _name, _place, _value in (
    ("mask_all_bad", f"{DETECTOR}/mask", np.ones(toy.SHAPE, "<u4")),
    ("mask_of_text", f"{DETECTOR}/mask", "none"),
    ("mask_of_nan", f"{DETECTOR}/mask", np.full(toy.SHAPE, np.nan)),
    ("mask_group", f"{DETECTOR}/mask/deep", 1),
    ("energy_nan", "entry_1/instrument_1/source_1/energy", np.full(toy.N, np.nan)),
    ("energy_text", "entry_1/instrument_1/source_1/energy", "hard"),
    ("energy_negative", "entry_1/instrument_1/source_1/energy", -1.0),
    ("distance_compound", f"{DETECTOR}/distance", np.zeros(2, [("a", "f4")])),
    ("corner_huge", f"{DETECTOR}/corner_position", [1e308, -1e308, 0]),
    ("basis_flat", f"{DETECTOR}/basis_vectors", np.ones((2, 3))),
    ("names_not_text", "entry_1/experiment_identifier", np.arange(toy.N)),
    ("names_not_utf8", "entry_1/experiment_identifier", np.full(toy.N, b"\xff\xfe")),
    ("version_text", "cxi_version", "one"),
    ("data_group", f"{DETECTOR}/data/data", 1),
    ("data_four_dimensions", f"{DETECTOR}/data", np.ones((2, 2, 5, 5))),
):
    of_good(f"cxi_{_name}", toy.cxi, replaced(_place, _value), "a.cxi")
for _name, _place, _shape in (
    ("mask", f"{DETECTOR}/mask", (10**6, 10**6)),
    ("mask_for_each", f"{DETECTOR}/mask", (toy.N, *toy.SHAPE)),
    ("energy", "entry_1/instrument_1/source_1/energy", (10**12,)),
    ("labels", "labels", (10**12,)),
):
    of_good(f"cxi_{_name}_declared", toy.cxi, declared(_place, _shape), "a.cxi")
for _name, _place, _value in (
    ("label_unknown", "entry_1/truth_1/label", np.full(23, 200, "u1")),
    ("label_text", "entry_1/truth_1/label", np.full(23, b"single")),
    ("label_few", "entry_1/truth_1/label", np.zeros(3, "u1")),
    ("shape_numbers", "entry_1/truth_1/shape", np.zeros(23)),
    ("diameter_flat", "entry_1/truth_1/diameter_nm", np.zeros(23)),
    ("offset_wide", "entry_1/truth_1/centre_offset_pixels", np.zeros((23, 7))),
    ("separation_text", "entry_1/truth_1/separation_nm", np.full(23, b"far")),
    ("recipe_no_json", "process_1/recipe", "{"),
    ("recipe_number", "process_1/recipe", 5),
    ("recipe_array", "process_1/recipe", np.arange(5)),
    ("seed_text", "process_1/seed", np.full((3, 3), b"x")),
    ("program_array", "process_1/program", np.arange(3)),
):
    of_good(f"own_{_name}", write_own, replaced(_place, _value), "a.h5")
of_good("own_truth_declared", write_own, declared("entry_1/truth_1/orientation", (23, 10**9, 4)), "a.h5")


@hostile
def own_recipe_deep(folder: Path) -> list[str]:
    path = write_own(folder / "a.h5")
    with h5py.File(path, "a") as file:
        file["process_1/recipe"][()] = "[" * 100_000
    return [str(path)]


# --- EMC and its detector ----------------------------------------------------------------------------------


def of_emc(name: str, *changes: tuple[int, int]) -> None:
    """Add an EMC file with other int32 at some places."""

    def maker(folder: Path) -> list[str]:
        path = toy.emc(folder / "a.emc")
        numbers = np.fromfile(path, "<i4")
        for place, value in changes:
            numbers[place] = value
        numbers.tofile(path)
        return [str(path)]

    MAKERS[f"emc_{name}"] = maker


_FIRST_PLACE = 256 + 2 * toy.N
of_emc("many_frames", (0, 2**31 - 1))
of_emc("no_frames", (0, 0))
of_emc("negative_frames", (0, -5))
of_emc("large_frames", (1, 2**31 - 1))
of_emc("no_pixels", (1, 0))
of_emc("few_pixels", (1, 4))
of_emc("unknown_type", (2, 7))
of_emc("dense_type", (2, 2))
of_emc("negative_lengths", (256, -(2**31)), (257, 2**31 - 1))
of_emc("long_lengths", (256, 2**31 - 1))
of_emc("place_beyond", (_FIRST_PLACE, 100))
of_emc("place_negative", (_FIRST_PLACE, -1))
of_emc("count_negative", (-1, -7))


def of_rows(name: str, spoil: Callable[[h5py.File], object]) -> None:
    """Add an EMC file in HDF5, spoiled."""
    of_good(f"emc_hdf5_{name}", toy.emc_hdf5, spoil, "photons.h5")


def _row(name: str, values: list[int]) -> Callable[[h5py.File], None]:
    return lambda file: file[name].__setitem__(2, np.array(values, np.int32))


of_rows("place_beyond", _row("place_ones", [3, 100]))
of_rows("place_negative", _row("place_multi", [-1]))
of_rows("counts_missing", _row("count_multi", []))
of_rows("pixels_huge", replaced("num_pix", 2**62))
of_rows("pixels_negative", replaced("num_pix", -1))
of_rows("pixels_text", replaced("num_pix", "many"))
of_rows("rows_flat", replaced("place_ones", np.arange(toy.N)))
of_rows("rows_few", lambda f: replaced("place_ones", h5py.Empty("i4"))(f))
of_rows(
    "rows_declared",
    lambda f: [
        f.__delitem__("place_ones"),
        f.create_dataset("place_ones", (10**11,), h5py.vlen_dtype(np.int32), chunks=(64,)),
    ],
)


def of_detector(name: str, spoil: Callable[[Path], object], file: str = "det.h5") -> None:
    """Add a good EMC file with a spoiled detector beside it."""

    def maker(folder: Path) -> list[str]:
        spoil(toy.square_detector(folder / file))
        return [str(toy.emc(folder / "a.emc"))]

    MAKERS[f"detector_{name}"] = maker


def _column(name: str, value: object) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with h5py.File(path, "a") as file:
            replaced(name, value)(file)

    return spoil


of_detector("nan", _column("qx", np.full(100, np.nan)))
of_detector("far_apart", _column("qx", np.linspace(0, 1e300, 100)))
of_detector("apart", _column("qy", np.linspace(-299, 299, 100)))
of_detector("no_sphere", _column("qz", np.full(100, 300.0)))
of_detector("text", _column("mask", "good"))
of_detector("empty", _column("qz", np.zeros(0)))
of_detector("ewald_negative", _column("ewald_rad", -1.0))
of_detector("all_bad", _column("mask", np.full(100, 2)))
of_detector("lines_missing", lambda p: p.write_text(p.read_text()[:2000]), "det.dat")
of_detector("header_huge", lambda p: p.write_text("1e18 1 1\n1 2 3 4 5\n"), "det.dat")
of_detector("header_nan", lambda p: p.write_text("nan nan nan\n1 2 3 4 5\n"), "det.dat")
of_detector("bytes", lambda p: p.write_bytes(os.urandom(5000)), "det.dat")
of_detector("one_line", lambda p: p.write_text("1 " * 2_000_000), "det.dat")


@hostile
def detector_given_is_a_pickle(folder: Path) -> list[str]:
    (folder / "det.dat").write_bytes(pickle.dumps(Trap(folder / MARK)))
    return [str(toy.emc(folder / "a.emc")), "--detector", str(folder / "det.dat")]


# --- npy, npz ----------------------------------------------------------------------------------------------


def npy_bytes(header: str, body: bytes = b"") -> bytes:
    """An npy file with whatever header."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def of_npy(name: str, content: Callable[[Path], bytes]) -> None:
    """Add an npy file, as frames and as a mask."""

    def frames(folder: Path) -> list[str]:
        (folder / "a.npy").write_bytes(content(folder))
        return [str(folder / "a.npy")]

    def mask(folder: Path) -> list[str]:
        (folder / "m.npy").write_bytes(content(folder))
        return [str(toy.hdf5(folder / "a.h5")), "--mask", str(folder / "m.npy")]

    def labels(folder: Path) -> list[str]:
        (folder / "l.npy").write_bytes(content(folder))
        return [str(toy.png(folder / "a.png")), "--labels", str(folder / "l.npy")]

    MAKERS.update({f"npy_{name}": frames, f"mask_{name}": mask, f"labels_{name}": labels})


def _objects(folder: Path) -> bytes:
    array = np.empty(3, object)
    array[:] = [Trap(folder / MARK)] * 3
    np.save(folder / "o.npy", array, allow_pickle=True)
    return (folder / "o.npy").read_bytes()


def _header(descr: str, shape: str) -> bytes:
    return npy_bytes(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}", bytes(200))


of_npy("objects", _objects)
of_npy("pickle", lambda folder: pickle.dumps(Trap(folder / MARK)))
of_npy("code", lambda folder: npy_bytes(f"open({str(folder / MARK)!r}, 'w')"))
of_npy("huge", lambda _: _header("'<f8'", "(1000000000, 1000, 1000)"))
of_npy("overflowing", lambda _: _header("'<f8'", "(4294967296, 4294967296, 4294967296)"))
of_npy("negative", lambda _: _header("'<f8'", "(-1, 5, 5)"))
of_npy("empty_frames", lambda _: _header("'<f8'", "(0, 5, 5)"))
of_npy("long_text", lambda _: _header("'<U1000000000'", "(1, 1, 1)"))
of_npy("not_a_shape", lambda _: _header("'<f8'", "'many'"))
of_npy("deep", lambda _: npy_bytes("(" * 9000))
of_npy("nan", lambda _: _header("'<f8'", "(1, 5, 5)")[:-200] + np.full(25, np.nan).tobytes())


def of_npz(name: str, fill: Callable[[zipfile.ZipFile, Path], object]) -> None:
    """Add an npz file."""

    def maker(folder: Path) -> list[str]:
        with zipfile.ZipFile(folder / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            fill(archive, folder)
        return [str(folder / "a.npz")]

    MAKERS[f"npz_{name}"] = maker


def _npz_bomb(folder: Path, claimed: int | None = None) -> list[str]:
    """Write a zip by hand: 4 GiB of zeros in 4 MB, and the size it claims, by default the true one."""
    header = npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (511, 1024, 1024), }")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(header) + packer.flush(zlib.Z_FULL_FLUSH) + _bomb(511 << 23, -15)
    name = b"data.npy"
    claimed = len(header) + (511 << 23) if claimed is None else claimed
    sizes = struct.pack("<LLL", 0, len(body), claimed)
    local = (
        b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0x21) + sizes + struct.pack("<HH", len(name), 0)
    )
    central = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0x21) + sizes
    central += struct.pack("<HHHHHLL", len(name), 0, 0, 0, 0, 0, 0)
    start = len(local) + len(name) + len(body)
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(central) + len(name), start, 0)
    (folder / "a.npz").write_bytes(local + name + body + central + name + end)
    return [str(folder / "a.npz")]


@hostile
def npz_bomb(folder: Path) -> list[str]:
    return _npz_bomb(folder)


@hostile
def npz_bomb_that_lies(folder: Path) -> list[str]:
    return _npz_bomb(folder, 4000)


of_npz("no_arrays", lambda z, _: z.writestr("readme.txt", "hello"))
of_npz("objects", lambda z, folder: z.writestr("data.npy", _objects(folder)))
of_npz("pickle", lambda z, folder: z.writestr("data.npy", pickle.dumps(Trap(folder / MARK))))
of_npz("huge", lambda z, _: z.writestr("data.npy", _header("'<f8'", "(1000000, 1000, 1000)")))
of_npz(
    "large_mask",
    lambda z, folder: [
        z.write(toy.npy(folder / "d.npy"), "data.npy"),
        z.writestr("mask.npy", _header("'|b1'", "(10, 10)")),
    ],
)
of_npz("text", lambda z, _: z.writestr("data.npy", _header("'<U2'", "(1, 5, 5)")))
of_npz("many", lambda z, _: [z.writestr(f"d{i}.npy", _header("'|u1'", "(2, 10, 10)")) for i in range(5000)])
of_npz("outside", lambda z, _: z.writestr("../../a.npy", _header("'|u1'", "(2, 10, 10)")))


# --- pictures ----------------------------------------------------------------------------------------------


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def of_png(name: str, *chunks: tuple[bytes, bytes]) -> None:
    """Add a PNG of these chunks."""

    def maker(folder: Path) -> list[str]:
        content = b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks)
        (folder / "a.png").write_bytes(content)
        return [str(folder / "a.png")]

    MAKERS[f"png_{name}"] = maker


def _ihdr(width: int, height: int, depth: int = 8, colour: int = 0) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)


of_png("huge", _ihdr(2**31 - 1, 2**31 - 1), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))
of_png("large", _ihdr(60_000, 60_000), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))
of_png("nothing_in_it", _ihdr(8, 8), (b"IEND", b""))
of_png("bomb", _ihdr(8, 8), (b"IDAT", _bomb(1 << 30)), (b"IEND", b""))
of_png("text_bomb", _ihdr(8, 8), (b"zTXt", b"k\0\0" + _bomb(1 << 30)), (b"IEND", b""))
of_png("odd_depth", _ihdr(8, 8, 3), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))


def _tiff(entries: list[tuple[int, int, int, int]], after: int) -> bytes:
    table = b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<LH", 8, len(entries)) + table + struct.pack("<L", after) + bytes(64)


def of_tiff(name: str, entries: list[tuple[int, int, int, int]], after: int = 0) -> None:
    """Add a TIFF with these tags, and a next page at `after`."""

    def maker(folder: Path) -> list[str]:
        (folder / "a.tif").write_bytes(_tiff(entries, after))
        return [str(folder / "a.tif")]

    MAKERS[f"tiff_{name}"] = maker


_GREY = [
    (256, 4, 1, 8),
    (257, 4, 1, 8),
    (258, 3, 1, 8),
    (262, 3, 1, 1),
    (273, 4, 1, 8),
    (278, 4, 1, 8),
    (279, 4, 1, 64),
]
of_tiff("circle_of_pages", _GREY, 8)
of_tiff("huge", [(256, 4, 1, 2**31), (257, 4, 1, 2**31), *_GREY[2:]])
of_tiff("no_size", _GREY[2:])
of_tiff("tag_huge", [*_GREY, (270, 2, 2**32 - 1, 8)])
of_tiff("strip_beyond", [*_GREY[:4], (273, 4, 1, 2**31), *_GREY[5:]])
of_tiff("many_tags", _GREY * 5000)


@hostile
def picture_in_colour(folder: Path) -> list[str]:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "a.png")
    return [str(folder / "a.png")]


@hostile
def pictures_of_other_sizes(folder: Path) -> list[str]:
    toy.folder(folder / "frames")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "frames" / "shot99.png")
    return [str(folder / "frames")]


@hostile
def pictures_that_are_none(folder: Path) -> list[str]:
    (folder / "frames").mkdir()
    for name in ("a.png", "b.tif"):
        (folder / "frames" / name).write_bytes(os.urandom(300))
    (folder / "frames" / "c.png").symlink_to("c.png")
    (folder / "frames" / "d.png").mkdir()
    return [str(folder / "frames")]


# --- labels, and what is no file ---------------------------------------------------------------------------


def of_labels(name: str, content: bytes) -> None:
    """Add a table of labels."""

    def maker(folder: Path) -> list[str]:
        (folder / "l.csv").write_bytes(content)
        return [str(toy.npy(folder / "a.npy")), "--labels", str(folder / "l.csv")]

    MAKERS[f"csv_{name}"] = maker


of_labels("null_bytes", b"index,label\n\0\0,1\n")
of_labels("large_numbers", b"0,99999999999999999999999999\n")
of_labels("larger_numbers", b"0," + b"9" * 100_000 + b"\n")
of_labels("one_field", b'"' + b"x" * 1_000_000)
of_labels("line_breaks", b'0,"a\nb\x1b[2J"\n')
of_labels("bytes", bytes(range(256)) * 10)


@hostile
def labels_are_a_folder(folder: Path) -> list[str]:
    (folder / "l.csv").mkdir()
    return [str(toy.npy(folder / "a.npy")), "--labels", str(folder / "l.csv")]


@hostile
def a_pipe(folder: Path) -> list[str]:
    os.mkfifo(folder / "a.h5")
    return [str(folder / "a.h5")]


@hostile
def a_device(_: Path) -> list[str]:
    return ["/dev/zero"]


@hostile
def a_circle_of_names(folder: Path) -> list[str]:
    (folder / "a.h5").symlink_to("a.h5")
    return [str(folder / "a.h5")]


@hostile
def a_name_too_long(folder: Path) -> list[str]:
    return [str(folder / ("x" * 5000))]


@hostile
def a_script(folder: Path) -> list[str]:
    (folder / "a.h5").write_text(f"import os\nopen({json.dumps(str(folder / MARK))}, 'w')\n")
    return [str(folder / "a.h5")]
