from typing import Any

STAMP: str

class Door:
    def __new__(
        cls,
        forest: int,
        raw: int,
        predict: int,
        scratch_size: int,
        n_outputs: int,
        binary: int,
        names: tuple[str, ...],
        read: Any,
        refuse: Any,
        keep: Any,
        /,
    ) -> Door: ...
    def score(self, row: Any, /) -> float: ...
    def predict(self, row: Any, /) -> list[float]: ...
    def raw_score(self, row: Any, /) -> list[float]: ...
