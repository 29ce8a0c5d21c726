"""An open forest whose rows go through the extension instead of ctypes. Imported only where that is built."""

import ctypes

from bareboat.runtime._door import Door
from bareboat.runtime.forest import OpenForest, several_outputs
from bareboat.runtime.kernel import reader_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable


class DoorForest(OpenForest):
    """An OpenForest whose functions of one row are those of a Door (forest/c/door/door.c)."""

    __slots__ = ("predict", "raw_score", "score")

    door = "extension"

    def __init__(
        self, path: str, kernel: "ctypes.CDLL", instructions: int = 0, file: "mmap.mmap | None" = None
    ) -> None:
        super().__init__(path, kernel, instructions, file)
        door = Door(
            self.address,
            _address(kernel.bareboat_raw_row),
            _address(kernel.bareboat_predict_row),
            kernel.bareboat_scratch(self.address),
            self.n_outputs,
            0 if self.n_classes <= self.n_outputs else 2 if self.is_single else 1,
            self.feature_names,
            reader_of(self.feature_names),
            _refusal(self.n_outputs),
            (self._start, self._memory, kernel),
        )
        for name in DoorForest.__slots__:
            setattr(self, name, getattr(door, name))


def _address(function: "ctypes._NamedFuncPointer") -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _refusal(n_outputs: int) -> "Callable[[], float]":
    def refuse() -> float:
        raise several_outputs(n_outputs)

    return refuse
