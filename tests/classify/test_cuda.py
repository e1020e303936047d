"""On a GPU: what the processor says, it says too."""

import numpy as np
import pytest
import torch
from toy_shots import QUICK, SIZE

from xfelspi.classify import load_model, train
from xfelspi.classify.compute import device, gpu_name
from xfelspi.classify.networks import Architecture, Classifier
from xfelspi.classify.predict import ReadyClassifier

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")


@pytest.mark.parametrize("reach", [False, True])
@pytest.mark.parametrize(("dtype", "apart"), [(torch.float32, 2e-3), (torch.bfloat16, 0.05)])
def test_logits_are_those_of_the_processor(reach, dtype, apart):
    assert gpu_name()
    torch.manual_seed(0)
    classifier = Classifier(Architecture(size=64, reach=reach)).eval()
    shots = torch.poisson(3 * torch.rand(48, 64, 64))
    shots[:, 30:34, 30:34] = -1
    here, there = (
        ReadyClassifier(classifier, kind, where)
        for kind, where in ((torch.float32, torch.device("cpu")), (dtype, device()))
    )
    np.testing.assert_allclose(there(shots).numpy(), here(shots).numpy(), atol=apart)


def test_a_model_learned_there_serves_here(toy_file, tmp_path):
    told = []
    path = train([toy_file], QUICK, out=tmp_path, name="there", say=told.append)
    model = load_model(path)
    assert {weight.device.type for weight in model.classifier.parameters()} == {"cpu"}
    assert model.frame.size == SIZE
    assert model.about["curve"][-1]["auc"] > 0.9
