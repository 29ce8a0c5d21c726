"""The step that refuses a row -> the error that names the column. Imported only when a row is refused."""

from struct import Struct

from bareboat.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

# docs/pipeline-format.md
_HEADER = Struct("<8sHHBBHQIIIIIIIIQ")
_ENTRY = Struct("<IIQQ")
_STEP = Struct("<HHIIIII")
_STEPS, _INPUTS = 1, 2
_LAST_OF_ITS_OWN = 10  # COPY to FUNCTION: output i is made of input i


def refusal(file: "mmap.mmap", names: "tuple[str, ...]", step: int, row: "int | None") -> InputError:
    """Return the error of a row that a step refuses: its number, and the columns that it reads.

    Args:
        file: a .pipeline file that has been checked.
        names: of its columns.
        step: the number of the step; the number of steps where there is no such class.
        row: its number, or None for the only one.
    """
    where = "" if row is None else f"row {row}: "
    columns = [names[slot] for slot in sorted(_origins(file, step))] if step < _HEADER.unpack_from(file)[9] else []
    if not columns:
        return InputError(f"{where}the model has no class for these values", expected="values that it was trained on")
    found = f"{where}{', '.join(map(repr, columns[:5]))}{' and others' if len(columns) > 5 else ''}"
    verb = "has" if len(columns) == 1 else "have"
    return InputError(
        f"{found} {verb} a value that the model does not know",
        expected="one that it was trained on",
        fix="send a value that it knows, or train it to take others",
    )


def _origins(file: "mmap.mmap", wanted: int) -> "set[int]":
    """Return the columns that the inputs of a step are made of."""
    header = _HEADER.unpack_from(file)
    start = {}
    for i in range(header[2]):
        tag, _, offset, _ = _ENTRY.unpack_from(file, _HEADER.size + i * _ENTRY.size)
        start[tag] = offset
    of: "dict[int, set[int]]" = {slot: {slot} for slot in range(header[7])}
    at = start.get(_INPUTS, 0)
    for i in range(wanted + 1):
        op, _, n_in, n_out, out, _, _ = _STEP.unpack_from(file, start[_STEPS] + i * _STEP.size)
        read = [of[slot] for slot in Struct(f"<{n_in}I").unpack_from(file, at)]
        at += 4 * n_in
        together = set().union(*read)
        if i == wanted:
            return together
        for j in range(n_out):
            of[out + j] = read[j] if op <= _LAST_OF_ITS_OWN else together
    return set()
