"""Tensors of the Open Inference Protocol, as JSON or as bytes -> values; values -> tensors.

Source:
    The protocol's REST document (required_api, rest) and its extension for binary data, as Triton and KServe have them.
"""

from __future__ import annotations

from struct import Struct, pack, unpack
from struct import error as struct_error

from bareboat.runtime.answers import none_for_nan
from bareboat.runtime.faults import describe, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# datatype -> the sign of struct, and the bytes of a value
FORMATS = {
    "BOOL": ("?", 1),
    "UINT8": ("B", 1),
    "UINT16": ("H", 2),
    "UINT32": ("I", 4),
    "UINT64": ("Q", 8),
    "INT8": ("b", 1),
    "INT16": ("h", 2),
    "INT32": ("i", 4),
    "INT64": ("q", 8),
    "FP16": ("e", 2),
    "FP32": ("f", 4),
    "FP64": ("d", 8),
}
BYTES = "BYTES"
_LENGTH = Struct("<I")
_NAN = float("nan")


class Tensor:
    """An input.

    Attributes:
        name, datatype, shape: as the request has them.
        values: all of them in row-major order: numbers, booleans or texts; None for NaN and null.
    """

    __slots__ = ("datatype", "name", "shape", "values")

    def __init__(self, name: str, datatype: str, shape: Sequence[int], values: list[Any]) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = tuple(shape)
        self.values = values


def read_tensors(inputs: Any, binary: bytes, max_values: int) -> list[Tensor]:
    """Read the inputs of a request.

    Args:
        inputs: of the JSON document.
        binary: what follows the document; the tensors with `binary_data_size` share it in their order.
        max_values: that one tensor may have.
    Raises:
        InputError: a tensor is not as its datatype and shape say, or the bytes are more or fewer than their sizes.
    """
    if not isinstance(inputs, list) or not inputs:
        raise fault("inputs", "an empty list" if inputs == [] else describe(inputs), "a list of tensors")
    tensors = []
    names = set()
    offset = 0
    for index, each in enumerate(inputs):
        place = f"inputs[{index}]"
        if not isinstance(each, dict):
            raise fault(place, describe(each), "an object with name, shape, datatype and data")
        name, datatype, shape = each.get("name"), each.get("datatype"), each.get("shape")
        if not isinstance(name, str):
            raise fault(f"{place}.name", describe(name), "a text")
        if name in names:
            raise fault(f"{place}.name", f'"{name}" a second time', "each tensor once")
        names.add(name)
        if not isinstance(datatype, str) or (datatype not in FORMATS and datatype != BYTES):
            raise fault(f"{place}.datatype", describe(datatype), f"one of {', '.join(FORMATS)}, {BYTES}")
        n = _n_values(shape, f"{place}.shape", max_values)
        size = _parameters(each, place).get("binary_data_size")
        if size is None:
            values = _of_json(each.get("data"), datatype, n, place)
        else:
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                raise fault(f"{place}.parameters.binary_data_size", describe(size), "a number of bytes")
            if offset + size > len(binary):
                found = f"{len(binary) - offset} bytes"
                raise fault(place, found, f"{size}, as binary_data_size says")
            values = _of_bytes(binary[offset : offset + size], datatype, n, place)
            offset += size
        assert isinstance(shape, list)
        tensors.append(Tensor(name, datatype, shape, values))
    if offset != len(binary):
        raise fault("body", f"{len(binary)} bytes after the JSON", f"{offset}, as the inputs' binary_data_size say")
    return tensors


def data_of(values: Sequence[Any], datatype: str) -> bytes:
    """Return values as the bytes of a tensor, little-endian; a text is its length and its UTF-8."""
    if datatype == BYTES:
        texts = [value.encode() for value in values]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    return pack(f"<{len(values)}{FORMATS[datatype][0]}", *values)


def _parameters(each: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    parameters = each.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise fault(f"{place}.parameters", describe(parameters), "an object")
    if "shared_memory_region" in parameters:
        raise fault(f"{place}.parameters", "shared_memory_region", "the data in the request")
    return parameters


def _n_values(shape: Any, place: str, max_values: int) -> int:
    if (
        not isinstance(shape, list)
        or not shape
        or not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in shape)
    ):
        found = str(shape)[:60] if isinstance(shape, list) else describe(shape)
        raise fault(place, found, "a list of whole numbers, such as [2, 4]")
    n = 1
    for each in shape:
        n *= each
        if n > max_values:
            raise fault(place, str(shape)[:60], f"at most {max_values} values")
    return n


def _of_json(data: Any, datatype: str, n: int, place: str) -> list[Any]:
    """Return the values of `data`, flat or nested, as the datatype has them: 0.1 as FP32 is 0.10000000149011612."""
    if not isinstance(data, list):
        found = "nothing" if data is None else describe(data)
        raise fault(f"{place}.data", found, "a list of values, or parameters.binary_data_size")
    while data and isinstance(data[0], list):
        if not all(isinstance(each, list) and len(each) == len(data[0]) for each in data):
            raise fault(f"{place}.data", "lists of unlike lengths", "lists as the shape has them")
        data = [value for each in data for value in each]
    if len(data) != n:
        raise fault(f"{place}.data", f"{len(data)} values", f"{n}, as the shape says")
    kind = str if datatype == BYTES else bool if datatype == "BOOL" else None
    for index, value in enumerate(data):
        if value is None:
            continue
        is_right = type(value) in (int, float) if kind is None else type(value) is kind
        if not is_right:
            raise fault(f"{place}.data[{index}]", describe(value), _expected(datatype))
    return data if datatype in (BYTES, "BOOL") else _as(data, datatype, place)


def _as(data: list[Any], datatype: str, place: str) -> list[Any]:
    sign, _ = FORMATS[datatype]
    if datatype.startswith("FP"):
        numbers = [_NAN if value is None else value for value in data]
    else:
        numbers = [
            int(each) if type(each) is float and each.is_integer() else each for each in data if each is not None
        ]
    form = f"<{len(numbers)}{sign}"
    try:
        read = unpack(form, pack(form, *numbers))
    except (struct_error, OverflowError):
        index = next(index for index, value in enumerate(data) if value is not None and not _fits(value, sign))
        raise fault(f"{place}.data[{index}]", describe(data[index]), _expected(datatype)) from None
    if datatype.startswith("FP"):
        return list(map(none_for_nan, read))
    rest = iter(read)
    return [None if value is None else next(rest) for value in data]


def _fits(value: Any, sign: str) -> bool:
    if type(value) is float and sign not in "efd":
        if not value.is_integer():
            return False
        value = int(value)
    try:
        pack(f"<{sign}", value)
    except (struct_error, OverflowError):
        return False
    return True


def _expected(datatype: str) -> str:
    if datatype == BYTES:
        return "a text (BYTES)"
    return "true or false (BOOL)" if datatype == "BOOL" else f"a number that {datatype} can hold"


def _of_bytes(data: bytes, datatype: str, n: int, place: str) -> list[Any]:
    if datatype == BYTES:
        return _texts(data, n, place)
    sign, size = FORMATS[datatype]
    if len(data) != n * size:
        raise fault(place, f"{len(data)} bytes", f"{n * size}: {n} values of {datatype}")
    if datatype == "BOOL" and max(data, default=0) > 1:
        raise fault(place, "a byte that is neither 0 nor 1", "0 or 1 for each value of BOOL")
    values = unpack(f"<{n}{sign}", data)
    return list(map(none_for_nan, values)) if sign in "efd" else list(values)


def _texts(data: bytes, n: int, place: str) -> list[Any]:
    values = []
    offset = 0
    while offset < len(data):
        if offset + 4 > len(data):
            raise fault(place, "bytes that end inside a length", "for each value four bytes of length, then the text")
        (length,) = _LENGTH.unpack_from(data, offset)
        offset += 4
        if offset + length > len(data):
            raise fault(place, f"a text of {length} bytes, of which {len(data) - offset} are there", "whole texts")
        try:
            values.append(data[offset : offset + length].decode())
        except UnicodeDecodeError:
            raise fault(place, f"bytes that are no UTF-8 in value {len(values)}", "texts in UTF-8") from None
        offset += length
    if len(values) != n:
        raise fault(place, f"{len(values)} texts", f"{n}, as the shape says")
    return values
