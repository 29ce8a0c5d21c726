"""What stands in the way of compiling a model."""

from __future__ import annotations

from collections.abc import Sequence

from bareboat.errors import ModelError


class NotCompilable(ModelError):  # noqa: N818
    """A fitted model that is known to be one, but of which a step cannot be compiled.

    Attributes:
        steps: what cannot be compiled, such as `pipeline step 'pca' (sklearn.decomposition.KernelPCA)`.
        packages: the distributions that the model needs, when they are known.
    """

    def __init__(
        self,
        found: str,
        *,
        expected: str = "",
        fix: str = "engine: framework, which runs the model with the packages it was made with",
        steps: Sequence[str] = (),
        packages: Sequence[str] = (),
    ) -> None:
        super().__init__(found, expected=expected, fix=fix)
        self.steps = tuple(steps) or (found,)
        self.packages = tuple(packages)
