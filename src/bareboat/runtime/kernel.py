"""The prebuilt kernel -> a library, loaded once a process, and the memory for what it opens. Ships in artifacts."""

import ctypes
import mmap
import os
import sys
from struct import Struct
from struct import error as struct_error

from bareboat.errors import ArtifactError, ModelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Row = Sequence[float] | Mapping[str, float]
    Work = tuple[ctypes.Array[ctypes.c_double], int, int, int]

ABI = 3

# The errors of forest/c/kernel.h, from 1 on.
ERRORS = (
    "is too short to be a forest",
    "is not a .forest file",
    "is of a version that this bareboat does not read",
    "is not of the size that its header says",
    "is damaged: its digest does not fit its bytes",
    "has a header with a number out of range",
    "has a section that this bareboat does not know",
    "has a section that lies outside the file or out of order",
    "lacks a section, or one has the wrong number of elements",
    "has numbers out of order",
    "has an index that points outside",
    "holds NaN, or an infinite number where none may be",
    "does not fit into memory as it must",
)
_NO_PATH = 14  # no fault of the file

# The paths of forest/c/kernel.h, by number.
PATHS = ("best", "scalar", "neon", "avx2", "avx512")
_PAGE = 1 << 21
_HUGE = 2 * _PAGE  # bytes from which on pages of 2 MiB are worth asking for
FIX = "import or package the model again"
_BLOCK = 256  # rows packed for one call of the kernel
_ALIGNMENT = 64

_kernels: "dict[str, ctypes.CDLL]" = {}


def wanted_path() -> int:
    """Return the path that BAREBOAT_KERNEL asks for, by the number of forest/c/kernel.h."""
    name = os.environ.get("BAREBOAT_KERNEL", "") or PATHS[0]
    if name not in PATHS:
        raise ArtifactError(
            f"BAREBOAT_KERNEL is {name!r}", expected=f"one of {', '.join(PATHS)}", fix="unset it for the best one"
        )
    return PATHS.index(name)


def kernel_name() -> str:
    """Return the file name of the kernel for this machine, such as `kernel-linux-x86_64.so`."""
    if sys.platform == "win32":
        machine = os.environ.get("PROCESSOR_ARCHITECTURE", "").lower()
        return f"kernel-windows-{'x86_64' if machine == 'amd64' else machine}.dll"
    machine = os.uname().machine
    if sys.platform == "darwin":
        return f"kernel-macos-{machine}.dylib"
    return f"kernel-{sys.platform}-{machine}.so"


def kernel_path() -> str:
    """Return where the kernel for this machine must lie."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "native", kernel_name())


def load_kernel(path: str) -> "ctypes.CDLL":
    """Load a kernel, once a process.

    Raises:
        ArtifactError: it is missing, made for another machine, or of another ABI.
    """
    if path in _kernels:
        return _kernels[path]
    if not os.path.exists(path):
        folder = os.path.dirname(path)
        there = [name for name in (os.listdir(folder) if os.path.isdir(folder) else []) if name.startswith("kernel-")]
        raise ArtifactError(
            f"no kernel for this machine: {os.path.basename(path)} is missing",
            expected=f"one of those here: {', '.join(sorted(there))}" if there else "a kernel beside bareboat.runtime",
            fix="package for this machine's CPU (--arch); in a checkout of bareboat run: python hatch_build.py",
            where=folder,
        )
    try:
        kernel = ctypes.CDLL(path)
        abi = kernel.bareboat_abi()
    except (OSError, AttributeError) as error:
        raise ArtifactError(
            f"the kernel cannot be loaded: {error}",
            expected="a kernel that was built for this machine",
            fix="package again, or install bareboat again",
            where=path,
        ) from error
    if abi != ABI:
        raise ArtifactError(
            f"a kernel of ABI {abi}", expected=f"ABI {ABI}", fix="package again with this bareboat", where=path
        )
    _declare(kernel)
    _kernels[path] = kernel
    return kernel


def _declare(kernel: "ctypes.CDLL") -> None:
    pointer, size, signed, number = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int64, ctypes.c_uint32
    kernel.bareboat_digest.argtypes = (pointer, size)
    kernel.bareboat_digest.restype = size
    kernel.bareboat_memory.argtypes = (pointer, size)
    kernel.bareboat_memory.restype = signed
    kernel.bareboat_open.argtypes = (pointer, size, pointer, size, number)
    kernel.bareboat_path.argtypes = (pointer,)
    kernel.bareboat_path.restype = number
    kernel.bareboat_scratch.argtypes = (pointer,)
    kernel.bareboat_scratch.restype = size
    for function in (kernel.bareboat_raw_row, kernel.bareboat_predict_row):
        function.argtypes = (pointer, pointer, pointer, pointer)
        function.restype = None
    kernel.bareboat_score.argtypes = (pointer, number, number, pointer, signed, signed, signed, pointer, pointer)
    kernel.bareboat_score.restype = None
    kernel.bareboat_transform.argtypes = (pointer, ctypes.c_double, ctypes.c_double, pointer, signed)
    kernel.bareboat_transform.restype = None
    kernel.bareboat_leaves.argtypes = (pointer, number, pointer, signed, signed, signed, pointer, pointer)
    kernel.bareboat_leaves.restype = None


def opened(
    file: "mmap.mmap", memory: "Any", open_: "Any", instructions: int, damaged: "Callable[[int], ModelError]"
) -> "tuple[ctypes.c_char, ctypes.c_char, int, int]":
    """Have the kernel check a file and open it.

    Args:
        memory, open_: the kernel's functions, such as bareboat_memory and bareboat_open.
        instructions: the path to use, by the number of forest/c/kernel.h.
        damaged: makes the error of what the kernel says is wrong.
    Returns:
        what keeps the file mapped, what keeps the memory, its address and its size in bytes.
    Raises:
        ModelError: `damaged`.
        ArtifactError: the CPU or the kernel has not these instructions.
    """
    start = ctypes.c_char.from_buffer(file)
    at, size = ctypes.addressof(start), len(file)
    memory_size = memory(at, size)
    if memory_size < 0:
        raise damaged(-memory_size)
    held, address = pages(memory_size)
    error = open_(at, size, address, memory_size, instructions)
    if error == _NO_PATH:
        raise ArtifactError(
            f"this CPU or this kernel has no {PATHS[instructions]} instructions",
            expected="instructions that it has",
            fix="unset BAREBOAT_KERNEL",
        )
    if error:
        raise damaged(error)
    return start, held, address, memory_size


def is_matrix(rows: "Any") -> bool:
    """Return whether rows are a buffer of two dimensions."""
    try:
        return memoryview(rows).ndim == 2
    except TypeError:
        return False


def pages(size: int) -> "tuple[ctypes.c_char, int]":
    """Return fresh pages of `size` bytes, of which only those take memory that are written to, and their address."""
    if size >= _HUGE:
        size = (size + _PAGE - 1) & -_PAGE  # Linux aligns to such pages what is a multiple of them
    if sys.platform == "win32":
        pages = mmap.mmap(-1, size)
    else:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if size >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            pages.madvise(mmap.MADV_HUGEPAGE)  # a large forest opens a third faster
        except OSError:
            pass  # a system without such pages
    memory = ctypes.c_char.from_buffer(pages)
    return memory, ctypes.addressof(memory)


def map_file(path: str, what: str = "forest") -> "mmap.mmap":
    """Map a .forest or .pipeline file. Nobody may change it in place while it is in use; replacing it by a new file is
    safe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"cannot read the {what}: {reason}", expected=f"a .{what} file", where=path) from error
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError) as error:
        found = "is empty (0 bytes)" if os.fstat(descriptor).st_size == 0 else f"cannot be mapped: {error}"
        raise ModelError(f"the {what} {found}", expected=f"a .{what} file", fix=FIX, where=path) from error
    finally:
        os.close(descriptor)


def reader_of(names: "tuple[str, ...]") -> "Callable[[Row], list[float]]":
    """Return what reads rows of any kind, importing how only when there is one."""

    def read(row: "Row") -> "list[float]":
        from bareboat.runtime.rows import RowReader

        return RowReader(names)(row)

    return read


class RowMemory:
    """Rows of numbers where the kernel reads them: what an open forest and an open pipeline have in common.

    Attributes:
        n_features: how many values a row has.
        feature_names: by which a row may name them.
    """

    __slots__ = ("_n_results", "_pack", "_read", "_spare", "_unpack", "feature_names", "n_features")

    feature_names: "tuple[str, ...]"
    n_features: int

    def _prepare(self, n_results: int) -> None:
        """Get ready for rows, of which each gives n_results numbers; n_features and feature_names are set."""
        self._n_results = n_results
        self._pack = Struct(f"={self.n_features}d").pack_into
        self._unpack = Struct(f"={n_results}d").unpack_from
        self._spare: "list[Work]" = []
        self._read = reader_of(self.feature_names)

    def _scratch(self, n_rows: int) -> int:
        """Return how many bytes of scratch so many rows take."""
        raise NotImplementedError

    def _put(self, buffer: "ctypes.Array[ctypes.c_double]", offset: int, row: "Row") -> None:
        """Write the numbers of a row into a buffer."""
        if type(row) is list or type(row) is tuple:
            try:
                self._pack(buffer, offset, *row)
            except (struct_error, OverflowError, TypeError):
                pass  # the reader says what is wrong
            else:
                return
        self._pack(buffer, offset, *self._read(row))

    def _new_work(self, n_rows: int) -> "Work":
        """Return a buffer for rows, results and scratch, and the addresses of the three."""
        n_values, n_results = n_rows * self.n_features, n_rows * self._n_results
        scratch = self._scratch(n_rows)
        buffer = (ctypes.c_double * (n_values + n_results + scratch // 8 + _ALIGNMENT // 8))()
        start = ctypes.addressof(buffer)
        at_out = start + 8 * n_values
        return buffer, start, at_out, (at_out + 8 * n_results + _ALIGNMENT - 1) & -_ALIGNMENT

    def _in_blocks(
        self,
        rows: "Iterable[Row]",
        score: "Callable[[int, int, int, int, int], None]",
        answer: "Callable[[tuple[float, ...]], Any]",
    ) -> "list[Any]":
        """Return what `answer` makes of the results of each row.

        Args:
            score: computes a block: the address of its rows, how many there are, the addresses of results and
                scratch, and how many rows were before it.
        """
        buffer, at_row, at_out, at_scratch = self._new_work(_BLOCK)
        row_size, result_size, first = 8 * self.n_features, 8 * self._n_results, at_out - at_row
        unpack = self._unpack
        results: "list[Any]" = []
        n = 0

        def flush() -> None:
            score(at_row, n, at_out, at_scratch, len(results))
            results.extend([answer(unpack(buffer, first + i * result_size)) for i in range(n)])

        for row in rows:
            self._put(buffer, n * row_size, row)
            n += 1
            if n == _BLOCK:
                flush()
                n = 0
        flush()
        return results
