"""Values outside their bounds -> what a client is told of them."""

from __future__ import annotations

from bareboat.runtime.faults import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def warning_of(outside: Mapping[str, int]) -> str:
    """Return the value of the header `x-bareboat-warning`: the features that were outside their bounds.

    Args:
        outside: as `Signature.read` fills it.
    Returns:
        Printable ASCII of at most 500 characters: what a header cannot say is escaped as in JSON.
    """
    names = ", ".join(cut(name, 60) for name in outside)
    text = f"outside bounds: {names}".encode("ascii", "backslashreplace").decode()
    return cut("".join(each if each.isprintable() else "?" for each in text), 490).replace("\u2026", "...")
