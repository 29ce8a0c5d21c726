"""A PyTorch file -> a ForeignModel that ONNX Runtime answers for, exported in the child process."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.child import run_child
from bareboat.pipeline.foreign.model import ForeignModel
from bareboat.pipeline.foreign.onnx_file import read_onnx_model

EXPORT = "bareboat.pipeline.foreign.torch_export:export"


def is_torch(path: Path) -> bool:
    """Whether a file is one of torch.save, torch.jit.save or torch.export.save; nothing of it is opened."""
    return bool(torch_kind(path))


def torch_kind(path: Path) -> str:
    """Return "script", "exported", "pickle" (a module or its weights), or "" of any other file."""
    try:
        if not zipfile.is_zipfile(path):
            return ""
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return ""
    inner = {name.partition("/")[2] for name in names}
    if "archive_format" in inner or "serialized_exported_program.json" in {*names, *inner}:
        return "exported"
    if "data.pkl" in inner and ("constants.pkl" in inner or any(name.startswith("code/") for name in inner)):
        return "script"
    return "pickle" if "data.pkl" in inner and "version" in inner else ""


def export_torch(
    path: Path, *, samples: Sequence[Any], engine: str, labels: Sequence[Any] | None = None, cwd: Path | None = None
) -> ForeignModel:
    """Export a module to ONNX and measure how far its answers are.

    Args:
        samples: documents as requests have them, `{"name": number or nested lists, ...}`; the first says what the
            inputs are.
        engine: as serverless.yml has it.
        labels: of the classes, when its outputs are their scores.
        cwd: the folder from which the user's own modules can be imported.
    Raises:
        ModelError: there is no sample, the engine is another, or PyTorch cannot export it.
    """
    if engine in ("compiled", "framework"):
        why = "no module of PyTorch compiles" if engine == "compiled" else "PyTorch does not fit into Lambda's archive"
        raise ModelError(
            f"a PyTorch file and engine: {engine}; {why}",
            expected="engine: onnx or auto",
            fix="engine: onnx",
            where=str(path),
        )
    documents = [each for each in samples if isinstance(each, dict) and each]
    if not documents:
        raise ModelError(
            "a PyTorch file, which does not say what it takes",
            expected="samples: a request, as an object of names and numbers or nested lists",
            fix="write one under samples; or give an ONNX file of torch.onnx.export",
            where=str(path),
        )
    arguments = [torch_kind(path), json.dumps(documents)]
    names = list(documents[0])

    def unpack(told: dict[str, Any], folder: Path) -> ForeignModel:
        read = read_onnx_model(path, (folder / "model.onnx").read_bytes(), names=names, labels=labels)
        note = (
            f"PyTorch {told['version']} exported it to ONNX: on {int(told['rows'])} samples an output differs by "
            f"{float(told['largest']):.1e} at most"
        )
        return replace(
            read,
            source=f"torch {told['version']} {told['class_name']}",
            objective=f"{told['class_name']} as ONNX",
            notes=(note,),
        )

    return run_child(path, "torch", EXPORT, unpack, arguments, cwd=cwd)
