"""A model that its framework or ONNX Runtime answers for, as the rest of bareboat sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from bareboat.forest.ir import Category
from bareboat.pipeline.ir import Column, Kind, Tabular


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution that a model needs.

    Args:
        version: "" for any.
        module: what of it the model needs, for messages.
        local: the URL of one that was installed from a folder or an archive and that an index may not have, or "".
    """

    name: str
    version: str
    module: str = ""
    local: str = ""

    @property
    def requirement(self) -> str:
        """As a requirements file has it."""
        return f"{self.name}=={self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class OwnModule:
    """A module of the user's that a model's classes stand in.

    Args:
        name: as it is imported, such as `features.text`.
        file: where it was imported from; "" when it was not.
    """

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class ForeignModel(Tabular):
    """What ships for such a model, and what can be said of it. Its rows are Python values, not codes.

    Args:
        engine: which module of the runtime opens it.
        data: the file that ships; `suffix` ends its name.
        columns: the row, in the model's order; () when the model does not say what it takes.
        kind: as `Pipeline.kind`.
        n_outputs: how many numbers it answers with, the label aside.
        classes: the labels of a classifier, in order.
        source, objective: as those of a Pipeline.
        notes: what a person should know.
        keys: the engine's own keys of the model document.
        packages: what the file needs to be opened.
        modules: the user's own modules that it needs.
        python: the minor version of the Python that opened it, "" where that does not matter.
        holds_code: whether code of that Python stands in the file, which no other minor version can run.
    """

    engine: Literal["onnx", "framework"]
    data: bytes
    suffix: str
    columns: tuple[Column, ...]
    kind: Kind
    n_outputs: int
    classes: tuple[Category, ...]
    source: str
    objective: str
    notes: tuple[str, ...] = ()
    keys: dict[str, Any] = field(default_factory=dict)
    packages: tuple[Package, ...] = ()
    modules: tuple[OwnModule, ...] = ()
    python: str = ""
    holds_code: bool = False
