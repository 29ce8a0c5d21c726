"""A matrix as a caller has it -> where its numbers lie, without a copy. Imported only when there is a matrix."""

import ctypes
import sys

from bareboat.errors import InputError
from bareboat.runtime.blocks import over_rows, thread_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bareboat.runtime.forest import OpenForest
    from bareboat.runtime.pipeline import OpenPipeline

    Block = Callable[["Lent", int, int, int, int], None]

FLOAT64, FLOAT32 = 0, 1
_NUMBERS = {"d": FLOAT64, "f": FLOAT32}

# CPython's Include/cpython/object.h and Include/pybuffer.h
_WRITABLE, _FORMAT, _ND, _STRIDES = 0x1, 0x4, 0x8, 0x18


class _Buffer(ctypes.Structure):
    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    )


# Prototypes of our own: ctypes.pythonapi's functions are shared, and others set their argtypes.
_get_buffer = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(_Buffer), ctypes.c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release_buffer = ctypes.PYFUNCTYPE(None, ctypes.POINTER(_Buffer))(("PyBuffer_Release", ctypes.pythonapi))


class Lent:
    """The memory of an object with the buffer protocol, lent until the `with` block ends.

    Attributes:
        address: of the first number.
        number: FLOAT64 or FLOAT32.
        shape, strides: one of each for every dimension; strides in bytes.
    """

    __slots__ = ("_buffer", "address", "number", "shape", "strides")

    def __init__(self, given: "Any", what: str, *, writable: bool = False) -> None:
        self._buffer = _Buffer()
        flags = _FORMAT | (_ND | _WRITABLE if writable else _STRIDES)
        try:
            _get_buffer(given, ctypes.byref(self._buffer), flags)
        except (TypeError, BufferError, ValueError) as error:
            kind = "contiguous, writable float64" if writable else "float64 or float32 of any strides"
            raise InputError(
                f"{what} is {type(given).__name__}: {error}", expected=f"a buffer of {kind}, such as a numpy array"
            ) from None
        buffer = self._buffer
        self.address: int = buffer.buf or 0
        self.shape: "tuple[int, ...]" = tuple(buffer.shape[: buffer.ndim])
        self.strides: "tuple[int, ...]" = () if writable else tuple(buffer.strides[: buffer.ndim])
        form = (buffer.format or b"B").decode().lstrip("@=<" if sys.byteorder == "little" else "@=>")
        if form not in _NUMBERS:
            self.__exit__()
            raise InputError(f"{what} holds numbers of format {form!r}", expected="float64 ('d') or float32 ('f')")
        self.number = _NUMBERS[form]

    def __enter__(self) -> "Lent":
        return self

    def __exit__(self, *_: object) -> None:
        _release_buffer(ctypes.byref(self._buffer))


def score_matrix(opened: "OpenForest", matrix: "Any", what: int, out: "Any", n_threads: "int | None") -> "Any":
    """Score a matrix as `OpenForest.score_matrix` does; `what` is one of kernel.h's."""
    score, address = opened.kernel.bareboat_score, opened.address

    def block(given: Lent, start: int, n: int, at_out: int, scratch: int) -> None:
        down, across = given.strides
        score(address, what, given.number, given.address + start * down, n, down, across, at_out, scratch)

    scratch_size = opened.kernel.bareboat_scratch(address)
    return _computed(block, (opened.n_features, opened.n_outputs, opened.n_trees, scratch_size), matrix, out, n_threads)


def pipeline_matrix(opened: "OpenPipeline", matrix: "Any", out: "Any", n_threads: "int | None") -> "Any":
    """Compute a matrix as `OpenPipeline.score_matrix` does."""

    def block(given: Lent, start: int, n: int, at_out: int, scratch: int) -> None:
        down, across = given.strides
        opened.score_rows(given.number, given.address + start * down, n, down, across, at_out, scratch, start)

    sizes = (opened.n_features, opened.n_columns, opened.work, opened.scratch_size())
    return _computed(block, sizes, matrix, out, n_threads)


def _computed(
    block: "Block", sizes: "tuple[int, int, int, int]", matrix: "Any", out: "Any", n_threads: "int | None"
) -> "Any":
    """Call for blocks of a matrix.

    Args:
        block: takes the matrix, the first row, how many, the address of their outputs, and that of scratch.
        sizes: columns of the matrix, columns of the outputs, the work of a row in trees, and bytes of scratch.
    """
    n_features, n_outputs, work, scratch_size = sizes
    with Lent(matrix, "the matrix") as given:
        n_rows = check_matrix(given, n_features)
        n_threads = thread_count(n_threads, n_rows * work)

        def compute(at_out: int) -> None:
            def call(start: int, n: int, scratch: int) -> None:
                block(given, start, n, at_out + 8 * n_outputs * start, scratch)

            over_rows(call, n_rows, n_threads, scratch_size)

        if out is None:
            made, at_out = new_output(n_rows, n_outputs)
            compute(at_out)
            return made
        with Lent(out, "out", writable=True) as taken:
            compute(given_output(taken, n_rows, n_outputs))
        return out


def check_matrix(lent: Lent, n_features: int) -> int:
    """Return how many rows a matrix has.

    Raises:
        InputError: it is not (n, n_features).
    """
    if len(lent.shape) != 2 or lent.shape[1] != n_features:
        raise InputError(f"a matrix of shape {lent.shape}", expected=f"(n, {n_features}), one column a feature")
    return lent.shape[0]


def new_output(n_rows: int, n_outputs: int) -> "tuple[memoryview[Any], int]":
    """Return room for outputs as a memoryview of doubles, (n_rows, n_outputs), and its address."""
    room = (ctypes.c_double * (n_rows * n_outputs))()
    view: "memoryview[Any]" = memoryview(room)
    return view.cast("B").cast("d", (n_rows, n_outputs)) if n_rows else view, ctypes.addressof(room)


def given_output(lent: Lent, n_rows: int, n_outputs: int) -> int:
    """Return the address of outputs that a caller gives.

    Raises:
        InputError: it is not float64, or not (n_rows, n_outputs) or as many numbers in a row.
    """
    shapes = ((n_rows, n_outputs), (n_rows * n_outputs,))
    if lent.number != FLOAT64 or lent.shape not in shapes:
        raise InputError(
            f"out holds {'float64' if lent.number == FLOAT64 else 'float32'} of shape {lent.shape}",
            expected=f"float64 of shape {shapes[0]}",
        )
    return lent.address
