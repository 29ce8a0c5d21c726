"""`package.artifact`: a zip that somebody else made is held against Lambda as one that bareboat makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.artifact import Artifact, LayerBuilder, build
from bareboat.errors import ArtifactError
from bareboat.service import load_service
from bareboat.service.model import Service

from .conftest import elf, zipped

HANDLER = {"handler.py": b"def handle(event, context):\n    return event\n"}
LAYERS = "layers: {libs: {package: {artifact: layer.zip}}}\n"


def service(folder: Path, files: dict[str, bytes], *, more: str = "", layers: str = "[]") -> Service:
    zipped(folder / "ready.zip", {**HANDLER, **files})
    (folder / "serverless.yml").write_text(
        "service: own\nprovider: {name: aws, runtime: python3.12}\npackage: {artifact: ready.zip}\n"
        f"functions: {{a: {{handler: handler.handle, layers: {layers}}}}}\n{more}",
        encoding="utf-8",
    )
    return load_service(folder / "serverless.yml", env={})


def built(service: Service) -> Artifact:
    return build(service, layers=LayerBuilder(service))["a"]


def test_what_would_not_load_on_lambda_is_refused_at_once(tmp_path: Path) -> None:
    files = {
        "p/a.so": elf(needed=b"libexotic.so.2"),
        "p/b.so": elf(needed=b"libgomp.so.1"),
        "q/c.so": elf(183),
        "r/d.cpython-311-x86_64-linux-gnu.so": elf(),
    }

    with pytest.raises(ArtifactError) as caught:
        built(service(tmp_path, files))

    said = [problem.found for problem in caught.value.problems]
    assert "libexotic.so.2 is missing; wanted by p/a.so" in said
    assert "libgomp.so.1 is missing; wanted by p/b.so" in said
    assert "q/c.so was compiled for aarch64" in said
    assert any("r was compiled for python3.11" in one for one in said)
    assert {problem.where for problem in caught.value.problems} == {str(tmp_path / "ready.zip")}


def test_a_library_of_a_layer_is_there(tmp_path: Path) -> None:
    zipped(tmp_path / "layer.zip", {"lib/libexotic.so.2": elf()})
    files = {"p/a.so": elf(needed=b"libexotic.so.2")}

    assert built(service(tmp_path, files, more=LAYERS, layers="[libs]")).layers[0].name == "libs"
    with pytest.raises(ArtifactError, match=r"libexotic\.so\.2 is missing"):
        built(service(tmp_path, files, more=LAYERS))


def test_what_is_good_to_know_is_a_note(tmp_path: Path) -> None:
    notes = built(service(tmp_path, {f"p/m{n}.py": b"" for n in range(30)})).notes

    assert [note.text.partition(":")[0] for note in notes] == ["there is no bytecode for 31 Python files"]
    assert notes[0].where == str(tmp_path / "ready.zip")
