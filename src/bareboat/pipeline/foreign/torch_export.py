"""A PyTorch file -> an ONNX file, and how far its answers are. Runs in the child only."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.child_openers import class_name

_OPSET = 17
"""Of the file: ONNX Runtime 1.16, the newest for Lambda's python3.10 and python3.11, reads up to 19."""


def export(path: str, _kind: str, folder: str, arguments: Sequence[str]) -> dict[str, object]:
    """Leave `model.onnx` in the folder.

    Args:
        arguments: script, exported or pickle; the samples as JSON: objects of numbers or nested lists.
    Raises:
        ModelError: it holds weights without a module, or cannot be exported.
    """
    import torch

    kind, samples = arguments[0], json.loads(arguments[1])
    module = _loaded(torch, path, kind)
    if kind == "exported":  # it has no modes, and raises when the exporter sets one
        module.train = lambda _mode=True: module
    else:
        module.eval()
    rows = [_inputs(torch, sample) for sample in samples]
    names = list(rows[0])
    file = Path(folder) / "model.onnx"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                tuple(rows[0].values()),
                str(file),
                input_names=names,
                output_names=["output"],
                dynamic_axes={each: {0: "n"} for each in [*names, "output"]},
                dynamo=False,
                opset_version=_OPSET,
            )
    except Exception as error:
        raise ModelError(
            f"PyTorch cannot export {class_name(type(module))}: {' '.join(str(error).split())[:400]}",
            expected="a module whose forward takes the sample's tensors in their order",
            fix="export it yourself with torch.onnx.export and give the .onnx file",
        ) from error
    return {
        "version": str(torch.__version__).partition("+")[0],
        "class_name": type(module).__name__,
        "rows": len(rows),
        "largest": _largest(torch, module, file, rows),
    }


def _loaded(torch: Any, path: str, kind: str) -> Any:
    if kind == "script":
        return torch.jit.load(path, map_location="cpu")
    if kind == "exported":
        return torch.export.load(path).module()
    module = torch.load(path, map_location="cpu", weights_only=False)
    if not isinstance(module, torch.nn.Module):
        raise ModelError(
            f"a file of {class_name(type(module))}, and no module",
            expected="a whole module",
            fix="torch.jit.save(torch.jit.script(model), path); weights alone (state_dict) do not say what computes",
        )
    return module


def _inputs(torch: Any, sample: dict[str, Any]) -> dict[str, Any]:
    """Return the tensors of a sample: plain numbers stand together in one, each nested list alone in its own."""
    if all(isinstance(value, int | float) for value in sample.values()):
        return {"x": torch.tensor([[float(value) for value in sample.values()]])}
    return {name: torch.tensor([value], dtype=torch.float32) for name, value in sample.items()}


def _largest(torch: Any, module: Any, file: Path, rows: list[dict[str, Any]]) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    largest = 0.0
    for row in rows:
        with torch.no_grad():
            theirs = module(*row.values()).detach()  # what torch.jit.trace saved may ask for gradients even so
        (ours,) = session.run(None, {name: tensor.numpy() for name, tensor in row.items()})
        largest = max(largest, float(abs(theirs.numpy() - ours).max()))
    return largest
