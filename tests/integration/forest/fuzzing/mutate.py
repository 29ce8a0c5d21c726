"""One model file -> another that is wrong somewhere: JSON by its values, text by its lines and words, else by bytes."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Any

NUMBERS = (0, 1, -1, 2, 3, 255, 256, 65536, 2**31 - 1, -(2**31), 2**31, 2**32, 2**63, 10**30, 0.5, -0.0, 1e300, 1e-320)
VALUES = (*NUMBERS, True, False, None, "", "0", "nan", "-1", "a b", [], {}, [[]], [0], ["0"], {"": 0}, "\0", "é\u2028")
WORDS = (
    "",
    "0",
    "-1",
    "1",
    "2",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1e-400",
    "99999999999",
    "2147483647",
    "1000000000",
    "0x10",
    "1_0",
    "a",
    "=",
    "\0",
    "-0",
)
JSON_NUMBERS = (float("nan"), float("inf"), 10**400)


def mutate(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Change a file once or some times."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if data[:1] in b"{[" and rng.random() < 0.8:
            data = _of_json(data, rng)
        elif data and rng.random() < 0.7 and _is_text(data):
            data = _of_text(data, others, rng)
        else:
            data = _of_bytes(data, others, rng)
    return data


def mutate_in_place(data: bytes, rng: random.Random) -> bytes:
    """Change numbers of a file whose parts are found by their places."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        size = rng.choice((1, 1, 2, 4, 8))
        at = rng.randrange(max(1, len(made) // size)) * size
        other = rng.randrange(max(1, len(made) // size)) * size
        number = int.from_bytes(made[at : at + size], "little")
        number = rng.choice((0, 1, number + 1, number - 1, (1 << 8 * size) - 1, number ^ 1 << rng.randrange(8 * size)))
        word = (number % (1 << 8 * size)).to_bytes(size, "little")
        made[at : at + size] = rng.choice(
            (word, word, word, made[other : other + size], struct.pack("<d", 1e300)[-size:])
        )
    return bytes(made)


def _is_text(data: bytes) -> bool:
    return not re.search(rb"[^\t\n\r\x20-\x7e]", data[:2000])


# --- JSON


def _of_json(data: bytes, rng: random.Random) -> bytes:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return _of_bytes(data, [], rng)
    places = list(_places(document))
    if not places:
        return data
    # Lists of numbers are most of a model; each kind of place has its chance.
    kinds = rng.choice(sorted({_kind(*place) for place in places}))
    holder, key = rng.choice([place for place in places if _kind(*place) == kinds])
    _change(holder, key, places, rng)
    return json.dumps(document, separators=(",", ":")).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    found = []
    stack = [value]
    while stack:
        here = stack.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        for key in keys:
            found.append((here, key))
            stack.append(here[key])
    return found


def _kind(holder: Any, key: Any) -> str:
    return key if isinstance(holder, dict) else type(holder[key]).__name__


def _change(holder: Any, key: Any, places: list[tuple[Any, Any]], rng: random.Random) -> None:
    value, choice = holder[key], rng.random()
    if choice < 0.15:
        del holder[key]
    elif choice < 0.35:
        holder[key] = rng.choice(VALUES + JSON_NUMBERS)
    elif choice < 0.5:
        there, other = rng.choice(places)
        holder[key] = json.loads(json.dumps(there[other])) if len(json.dumps(there[other])) < 5000 else 0
    elif isinstance(value, bool) or value is None:
        holder[key] = not value
    elif isinstance(value, int | float):
        holder[key] = rng.choice((value + 1, value - 1, -value, str(value), *NUMBERS, [value]))
    elif isinstance(value, str):
        holder[key] = _of_text(value.encode(errors="replace"), [], rng).decode(errors="replace")
    elif isinstance(value, list):
        holder[key] = rng.choice((value[:-1], value + value[-1:], value[::-1], value * 2, [], dict(enumerate(value))))
    else:
        holder[key] = rng.choice(([value], {}, list(value.items()), {**value, "more": 1}))


# --- text


def _of_text(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    lines = data.decode(errors="replace").split("\n")
    choice, place = rng.random(), rng.randrange(len(lines))
    if choice < 0.1:
        del lines[place]
    elif choice < 0.2:
        lines.insert(rng.randrange(len(lines) + 1), lines[place])
    elif choice < 0.3:
        other = rng.randrange(len(lines))
        lines[place], lines[other] = lines[other], lines[place]
    elif choice < 0.35 and others:
        there = rng.choice(others).decode(errors="replace").split("\n")
        lines[place] = rng.choice(there)[:3000]
    else:
        words = re.split(r"([ =:\[\]]+)", lines[place])
        at = rng.randrange(len(words))
        words[at] = _word(words[at], words, rng)
        lines[place] = "".join(words)
    return "\n".join(lines).encode()


def _word(word: str, words: list[str], rng: random.Random) -> str:
    choice = rng.random()
    if choice < 0.4:
        return rng.choice(WORDS)
    if choice < 0.6 and re.fullmatch(r"-?\d{1,12}", word):
        return str(rng.choice((int(word) + 1, int(word) - 1, -int(word), int(word) * 2)))
    if choice < 0.8:
        return rng.choice(words)
    return word + rng.choice((" ", " 0", "0", "x", " " + word))


# --- bytes


def _of_bytes(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    made = bytearray(data)
    if not made:
        return bytes(rng.randrange(256) for _ in range(8))
    at, choice = rng.randrange(len(made)), rng.randrange(8)
    n = rng.choice((1, 2, 4, 8, rng.randrange(1, 64)))
    if choice == 0:
        made[at] ^= 1 << rng.randrange(8)
    elif choice == 1:
        made[at] = rng.choice((0, 1, 2, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif choice == 2:
        del made[at : at + n]
    elif choice == 3:
        made[at:at] = made[at : at + n] * rng.choice((1, 1, 2, 30))
    elif choice == 4:
        end = rng.choice("<>")
        letter = rng.choice("HIQd")
        number = rng.uniform(-1e6, 1e6) if letter == "d" else rng.choice((0, 1, 2, 255, 65535)) + rng.choice((0, 1, 3))
        packed = struct.pack(end + letter, number % 65536 if letter == "H" else number)
        made[at : at + len(packed)] = packed
    elif choice == 5:
        made[at : at + n] = rng.choice((b"\xff", b"\0", b"\x80")) * n
    elif choice == 6:
        del made[at:]
    elif others:
        other = rng.choice(others)
        there = rng.randrange(len(other) + 1)
        made[at : at + n] = other[there : there + n]
    return bytes(made)
