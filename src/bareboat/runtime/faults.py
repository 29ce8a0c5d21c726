"""What is wrong with a request -> the InputError that lists it, and the body of a 400."""

from __future__ import annotations

from bareboat.errors import InputError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LISTED = 100  # so many wrong fields are listed; a client that has more has the pattern by then
SHOWN = 60  # characters of a client's own text that are shown again
NAMED = 120  # characters of a field's place
_NAMED = 10  # names that are listed


class Faults:
    """The wrong fields of one request, in the order in which they were found."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @property
    def is_full(self) -> bool:
        """Whether so many are listed that reading on is of no use."""
        return len(self.problems) >= LISTED

    def add(self, field: str, found: str, expected: str) -> None:
        """List one more field: where it stands, what was found there and what the model takes."""
        if not self.is_full:
            self.problems.append(Problem(found, expected=expected, where=cut(field, NAMED) or '""'))

    def refuse(self) -> None:
        """Raise what has been listed.

        Raises:
            InputError: there is something.
        """
        if self.problems:
            raise self.error()

    def error(self) -> InputError:
        """Return what has been listed (at least one field) as one error."""
        count = len(self.problems)
        if count == 1:
            (only,) = self.problems
            message = f"{only.where}: found {only.found}, expected {only.expected}"
        elif self.is_full:
            message = f"{count} wrong fields are listed, and there may be more"
        else:
            message = f"{count} fields are wrong"
        return InputError(message, problems=tuple(self.problems))


def fault(field: str, found: str, expected: str) -> InputError:
    """Make the InputError about one field."""
    faults = Faults()
    faults.add(field, found, expected)
    return faults.error()


def missing(field: str, found: str, expected: str) -> InputError:
    """Make the InputError about something that is not there: its status is 404."""
    error = fault(field, found, expected)
    error.status = 404  # type: ignore[attr-defined]
    return error


def listed(names: Sequence[str]) -> str:
    """Return `one of a, b, c`, the first ten of them."""
    more = f", ... ({len(names)} in all)" if len(names) > _NAMED else ""
    return "one of " + ", ".join(names[:_NAMED]) + more


def body_of(error: InputError) -> dict[str, object]:
    """Return the body of the 400: `{"message": ..., "errors": [{"field", "found", "expected"}, ...]}`.

    An InputError that names no place (one raised by a `before` function, say) has no `errors`.
    """
    errors = [
        {"field": problem.where, "found": problem.found, "expected": problem.expected}
        for problem in error.problems[:LISTED]
        if problem.where
    ]
    message = cut(str(error.args[0]) if error.args else "the request was refused", 1000)
    return {"message": message, "errors": errors} if errors else {"message": message}


def describe(value: object) -> str:
    """Name a value as the client wrote it, cut to a length that is safe to send back."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{cut(value, SHOWN)}"'
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int):
        return "an integer too large for a float" if value.bit_length() > 1024 else cut(str(value), SHOWN)
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124 - NaN alone differs from itself
            return "NaN"
        if value - value != 0.0:
            return "a number too large for a float" if value > 0 else "a number too low for a float"
        return repr(value)
    return f"a value of type {type(value).__name__}"


def cut(text: str, length: int) -> str:
    """Shorten a text, and replace what cannot be sent as UTF-8 (half of a surrogate pair)."""
    if len(text) > length:
        text = text[: length - 1] + "\u2026"
    return text.encode("utf-8", "replace").decode("utf-8")
