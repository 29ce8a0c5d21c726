"""`strip_source` against Python's own tokenizer, on Python's library and on random programs."""

from __future__ import annotations

import io
import sysconfig
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.source.strip import strip_source

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
MODULES = ["ast.py", "asyncio/events.py", "codecs.py", "doctest.py", "tokenize.py", "xml/dom/minidom.py"]
KEPT_TYPES = {tokenize.NL, tokenize.COMMENT}


def tokens(data: bytes) -> list[tokenize.TokenInfo]:
    return list(tokenize.tokenize(io.BytesIO(data).readline))


def program(data: bytes) -> list[tuple[int, str, tuple[int, int]]]:
    """Return the tokens that make the program, with their places."""
    places = [(token.type, token.string, token.start) for token in tokens(data) if token.type not in KEPT_TYPES]
    # a line ends, and a block closes, after what is gone now
    return [(kind, text, place if text.strip() else (0, 0)) for kind, text, place in places]


def comments(data: bytes) -> list[str]:
    return [token.string for token in tokens(data) if token.type == tokenize.COMMENT]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_keeps_every_token_at_its_place(name: str) -> None:
    before = (LIBRARY / name).read_bytes()

    after = strip_source(before)

    assert program(after) == program(before)
    assert all(text.startswith("#!") or "coding" in text for text in comments(after))
    assert after.count(b"\n") == before.count(b"\n")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_without_docstrings_keeps_the_rest_and_compiles(name: str) -> None:
    before = (LIBRARY / name).read_bytes()

    after = strip_source(before, docstrings=True, blank_lines=True)

    compile(after, name, "exec", dont_inherit=True)
    lost = [token.string for token in tokens(before) if token.type == tokenize.STRING]
    for token in tokens(after):
        if token.type == tokenize.STRING:
            lost.remove(token.string)
    assert all(text.lstrip("rRuU")[0] in "\"'" for text in lost)
    assert not any(not line.strip() for line in after.split(b"\n")[:-1] if b'"' not in after)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\\'\"{}"), max_size=12)
COMMENTS = TEXT.map(lambda text: "# " + text)
STRINGS = st.builds(
    lambda quote, text, prefix, breaks: f"{prefix}{quote}{text}{chr(10) * breaks * (len(quote) == 3)}{text}{quote}",
    st.sampled_from(['"', "'", '"""', "'''"]),
    TEXT,
    st.sampled_from(["", "r", "u"]),
    st.integers(0, 2),
)
FORMATTED = st.builds(
    lambda quote, text, spec: f"f{quote}{text}{{x{spec}}}#{text}{quote}",
    st.sampled_from(['"', "'", '"""', "'''"]),
    TEXT,
    st.sampled_from(["", "!r", ":>10", "!s:#x", ":{x}", " = "]),
)
EXPRESSIONS = st.one_of(
    st.sampled_from(["1", "x", "-0.0", "x[1:2]", "(1,\n  # in brackets\n\n 2)", "1 + \\\n 2", "b'#'", "lambda: 0"]),
    STRINGS,
    FORMATTED,
)
SIMPLE = EXPRESSIONS.map(lambda text: f"x = {text}")
TAILS = st.one_of(st.just(""), COMMENTS.map(lambda text: "  " + text), st.just(";"), st.just("; y = 2  # two"))
GAPS = st.lists(st.one_of(st.just(""), COMMENTS, st.just("    # deeper"), st.just("\f")), max_size=2)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> str:
    """Draw the statements of a body, each line indented as deep as it stands."""
    pad = "    " * depth
    lines: list[str] = []
    if depth == 0 or draw(st.booleans()):
        string = draw(STRINGS)
        lines.append(
            f"{pad}{draw(st.sampled_from([string, f'({string})', f'({string}  # in it{chr(10)})']))}{draw(TAILS)}"
        )
    for _ in range(draw(st.integers(0 if lines else 1, 3))):
        lines += draw(GAPS)
        if depth < 2 and draw(st.booleans()):
            head = draw(st.sampled_from(["def f():", "class A:", "async def g():", "if x:"]))
            if draw(st.booleans()):
                lines.append(f"{pad}{head} {draw(st.one_of(STRINGS, SIMPLE))}{draw(TAILS)}")
            else:
                lines += [f"{pad}{head}{draw(st.one_of(st.just(''), COMMENTS))}", *draw(GAPS), draw(blocks(depth + 1))]
        else:
            lines.append(f"{pad}{draw(SIMPLE)}{draw(TAILS)}")
    return "\n".join(lines)


@given(blocks(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_random_programs_are_stripped_wholly(
    text: str, line_end: str, ends: bool, docstrings: bool, blank_lines: bool
) -> None:
    before = (text + "\n" * ends).replace("\n", line_end).encode()

    after = strip_source(before, docstrings=docstrings, blank_lines=blank_lines)

    assert comments(after) == []
    compile(after, "program", "exec", dont_inherit=True)
    if not blank_lines:
        assert after.count(b"\n") == before.count(b"\n")
    if not docstrings and not blank_lines:
        assert program(after) == program(before)
