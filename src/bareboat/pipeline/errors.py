"""What the compiler of models raises, as part of the tree in `bareboat/errors.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bareboat.errors import ModelError, Problem

ANOTHER_ENGINE = "engine: framework serves it as it is, engine: onnx by onnxruntime"


class NotCompilable(ModelError):  # noqa: N818 - it names what the model is
    """A model that can be opened and can predict, but not be compiled.

    Attributes:
        steps: `path (module.Class)` of each step that stands in the way, as far as it is a step.
        class_name: `module.Class` of the model.
        packages: what the model needs to be opened, {distribution: version}; {} when that was not asked.
    """

    def __init__(
        self,
        found: str,
        *,
        steps: Sequence[str] = (),
        class_name: str = "",
        packages: Mapping[str, str] | None = None,
        expected: str = "",
        fix: str = ANOTHER_ENGINE,
        where: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(found, expected=expected, fix=fix, where=where, problems=problems)
        self.steps = tuple(steps)
        self.class_name = class_name
        self.packages = dict(packages or {})
