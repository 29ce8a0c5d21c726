"""A row as a caller has it -> its numbers, or the error that says what is wrong with it.

Lists and tuples of numbers do not come here unless something is wrong with them: they are packed as they are.
"""

from struct import error as struct_error
from struct import pack

from bareboat.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RowReader:
    """Reads rows for a model's features."""

    __slots__ = ("names",)

    def __init__(self, names: "tuple[str, ...]") -> None:
        self.names = names

    def __call__(self, row: "Any") -> "list[float]":
        """Return the numbers of a row in the order of the features.

        Args:
            row: numbers by feature name (whatever has `keys`, such as a dict), a buffer of numbers of one dimension,
                or any other iterable of numbers.
        Raises:
            InputError: a name is missing or unknown, there are more or less than one number a feature, or one is no
                number.
        """
        values = self._by_name(row) if hasattr(row, "keys") else _in_order(row, len(self.names))
        if len(values) != len(self.names):
            raise InputError(
                f"a row has {len(values)} values", expected=f"{len(self.names)}, one a feature of the model"
            )
        for name, value in zip(self.names, values, strict=True):
            if not _is_number(value):
                raise InputError(f"{name} is {_shown(value)}", expected="a number that a float64 can hold, or NaN")
        return values

    def _by_name(self, row: "Any") -> "list[Any]":
        try:
            values = [row[name] for name in self.names]
        except (KeyError, TypeError, IndexError):
            present = set(row.keys())
            missing = [name for name in self.names if name not in present]
            raise InputError(
                f"the row lacks {_list(missing)}",
                expected="a value for each feature of the model, NaN for a missing one",
            ) from None
        if len(row) != len(self.names):
            known = set(self.names)
            extra = [key for key in row.keys() if key not in known]  # noqa: SIM118 - a Series iterates its values
            raise InputError(
                f"the row has {_list(extra)}, which the model does not know",
                expected=f"its {len(self.names)} features and nothing else",
            )
        return values


def _in_order(row: "Any", n: int) -> "list[Any]":
    try:
        view = memoryview(row)
        if view.ndim == 1:
            return view.tolist()
    except (TypeError, BufferError, NotImplementedError):
        pass
    try:
        return list(row)
    except TypeError:
        raise InputError(f"a row is {type(row).__name__}", expected=f"a sequence of {n} numbers") from None


def _is_number(value: "Any") -> bool:
    try:
        pack("=d", value)
    except (struct_error, OverflowError, TypeError):
        return False
    return True


def _shown(value: "Any") -> str:
    try:
        return repr(str(value)[:40])
    except ValueError:  # an int of more digits than Python turns into text
        return f"an int of {value.bit_length()} bits"


def _list(names: "list[Any]") -> str:
    shown = ", ".join(repr(name)[:60] for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
