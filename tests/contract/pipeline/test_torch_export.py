"""PyTorch's files, exported to ONNX by PyTorch itself; where it is not installed there is nothing to ask."""

import numpy as np
import onnx
import pytest

from bareboat.pipeline.foreign.torch_export import export
from bareboat.pipeline.foreign.torch_file import torch_kind

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch speaks of its own future
ROW = [5.1, 3.5, 1.4, 0.2]
SAMPLES = '[{"a": 5.1, "b": 3.5, "c": 1.4, "d": 0.2}]'


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3), torch.nn.Softmax(dim=1))


def _saved(kind, module, path):
    rows = torch.randn(2, 4)
    if kind == "script":
        torch.jit.save(torch.jit.trace(module.eval(), rows), path)
    elif kind == "exported":
        n = torch.export.Dim("n")
        torch.export.save(torch.export.export(module.eval(), (rows,), dynamic_shapes=({0: n},)), path)
    else:
        torch.save(module, path)


@pytest.mark.parametrize("kind", ["script", "exported", "pickle"])
def test_each_kind_of_file_is_exported_and_answers_as_pytorch(kind, module, tmp_path):
    import onnxruntime

    path = tmp_path / "model.pt2"
    _saved(kind, module, str(path))
    assert torch_kind(path) == kind
    told = export(str(path), "torch", str(tmp_path), [kind, SAMPLES])
    assert told["largest"] < 1e-6
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    rows = np.array([ROW, [0, 0, 0, 0], [1, 2, 3, 4]], np.float32)
    (ours,) = session.run(None, {"x": rows})
    np.testing.assert_allclose(ours, module(torch.tensor(rows)).detach().numpy(), atol=1e-6)


def test_onnxruntime_for_the_oldest_python_reads_what_is_exported(module, tmp_path):
    _saved("pickle", module, str(tmp_path / "model.pt"))
    export(str(tmp_path / "model.pt"), "torch", str(tmp_path), ["pickle", SAMPLES])
    model = onnx.load(tmp_path / "model.onnx")
    assert model.opset_import[0].version <= 19  # what ONNX Runtime 1.16.3 knows
    assert model.ir_version <= 9
