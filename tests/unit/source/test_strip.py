"""Comments and docstrings out, the program stays."""

from __future__ import annotations

import ast
import sys

import pytest

from bareboat.source.strip import strip_source
from bareboat.source.text import SourceError

NEW = pytest.mark.skipif(sys.version_info < (3, 12), reason="quotes inside of an f-string's braces need Python 3.12")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # one\n", "x = 1\n"),
        ("# a\n\nx = '#'  # b", "\n\nx = '#'"),
        ("x = 1 # a\r\n# b\r\ny = 2\r\n", "x = 1\r\n\r\ny = 2\r\n"),
        ("x = (1,  # one\n     # two\n     2)\n", "x = (1,\n\n     2)\n"),
        ("x = '''\n# text\n'''  # c\n", "x = '''\n# text\n'''\n"),
        ("x = 'a\\\n# text'  # c\n", "x = 'a\\\n# text'\n"),
        ("x = rb'\\'  # no end yet'  # c\n", "x = rb'\\'  # no end yet'\n"),
        ("\f\n# a\n\fx = 1\n", "\f\n\n\fx = 1\n"),
        ("if x:  # a\n    # b\n    pass\n", "if x:\n\n    pass\n"),
        ("x = 1 \\\n  # c\ny = 2\n", "x = 1 \\\n\ny = 2\n"),
        ("x = f'{a!r:>{w}} # text' # c\n", "x = f'{a!r:>{w}} # text'\n"),
        ('x = f\'{{#}}\' f"""{d[\'#\']}""" # c\n', 'x = f\'{{#}}\' f"""{d[\'#\']}"""\n'),
        ("x = (f'a'  # one\n     'b')  # two\n", "x = (f'a'\n     'b')\n"),
        ("x = f'{a:%H:%M#}{b != c}\\N{NUMBER SIGN}' # c\n", "x = f'{a:%H:%M#}{b != c}\\N{NUMBER SIGN}'\n"),
        ("größe = 1 # Größe\n", "größe = 1\n"),
        ("", ""),
        ("#", ""),
    ],
)
def test_comments_go_and_lines_stay(before: str, after: str) -> None:
    assert strip_source(before.encode()) == after.encode()


@NEW
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = f'{d['#']}' # c\n", "x = f'{d['#']}'\n"),
        ("x = f'{f'{'#'}'}' # c\n", "x = f'{f'{'#'}'}'\n"),
        ("x = f'''{\n  a  # inside\n}''' # c\n", "x = f'''{\n  a\n}'''\n"),
        ("x = f'{x:{'#'}>10}' # c\n", "x = f'{x:{'#'}>10}'\n"),
        ("x = f'''{\n  a  # inside\n  = !r}''' # c\n", "x = f'''{\n  a  # inside\n  = !r}'''\n"),
        ("x = f'{(lambda: 1)}{ {1: 2}[1] }' # c\n", "x = f'{(lambda: 1)}{ {1: 2}[1] }'\n"),
    ],
)
def test_comments_in_and_after_newer_f_strings_go(before: str, after: str) -> None:
    assert strip_source(before.encode()) == after.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""Module."""\nfrom __future__ import annotations\n', "\nfrom __future__ import annotations\n"),
        ('def f():\n    """Doc.\n\n    More."""\n    return 1\n', "def f():\n\n\n\n    return 1\n"),
        ('def f():\n    """Doc.\n    """\n', "def f():\n    pass\n\n"),
        ('class A: "doc"\n', "class A: pass\n"),
        ('class A: "doc"; x = 1\n', "class A: x = 1\n"),
        ('class A:\n    "doc"; x = 1\n', "class A:\n    x = 1\n"),
        ('class A:\n    """doc\n    """; x = 1\n', "class A:\n\n    x = 1\n"),
        ('class A: """doc\n    """; x = 1\n', "class A: \\\nx = 1\n"),
        ('class A:\n    "doc";\n', "class A:\n    pass\n"),
        ('class A:\n    ("doc"\n);  # c\n', "class A:\n    pass\n\n"),
        ('class A:\n    "doc";  # c\n    x = 1\n', "class A:\n\n    x = 1\n"),
        ('class A:\n    ("a"  # one\n     "b")\n    x = 1\n', "class A:\n\n\n    x = 1\n"),
        ('def f():\n    "doc"\n    "and another"\n    return 1\n', "def f():\n\n\n    return 1\n"),
        ('def f():\n    "doc"\n    "and another"\n', "def f():\n\n    pass\n"),
        ('if x:\n    async def f():\n        "ä"  # c\n', "if x:\n    async def f():\n        pass\n"),
        ("def f():\n    f'no docstring {x}'\n", "def f():\n    f'no docstring {x}'\n"),
        ("def f():\n    b'none either'\n", "def f():\n    b'none either'\n"),
        ('"""only"""', ""),
        (
            'try:\n    def f(): "d"\nexcept E:\n    class A: "d"\n',
            "try:\n    def f(): pass\nexcept E:\n    class A: pass\n",
        ),
        ('match x:\n    case 1:\n        def f(): "d"\n', "match x:\n    case 1:\n        def f(): pass\n"),
    ],
)
def test_docstrings_go_on_request(before: str, after: str) -> None:
    assert strip_source(before.encode(), docstrings=True) == after.encode()


def test_blank_lines_go_on_request_but_never_out_of_a_string() -> None:
    before = '#!/usr/bin/python\n# a\n\nx = """\n\n# b\n"""\n\n\f\ny = 1 \\\n\nz = 2\n\n'

    after = strip_source(before.encode(), blank_lines=True)

    assert after == b'#!/usr/bin/python\nx = """\n\n# b\n"""\ny = 1 \\\n\nz = 2\n'


def test_a_declared_encoding_stays_and_is_written_again() -> None:
    before = "#!/usr/bin/python\n# -*- coding: latin-1 -*-\nx = 'é'  # é\n".encode("latin-1")

    assert strip_source(before) == "#!/usr/bin/python\n# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")


def test_a_byte_order_mark_stays() -> None:
    assert strip_source(b"\xef\xbb\xbfx = 1  # a\n") == b"\xef\xbb\xbfx = 1\n"


def test_a_comment_that_only_looks_like_an_encoding_goes() -> None:
    assert strip_source(b"x = 1\n\n# coding: latin-1\n") == b"x = 1\n\n\n"


def test_comments_are_kept_from_the_word_on_that_was_asked_for() -> None:
    before = b"x = []  # type: list[int]\ny = 1  # why  # noqa: E501\n# pragma: no cover\n# type of x\n"

    after = strip_source(before, keep=["type:", "noqa", "pragma"])

    assert after == b"x = []  # type: list[int]\ny = 1  # noqa: E501\n# pragma: no cover\n\n"


def test_nothing_to_take_out_returns_the_very_bytes() -> None:
    before = b"x = 1\n"

    assert strip_source(before, docstrings=True) is before


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"print 'x'\n", "cannot be read by this Python: line 1"),
        (b"x = '\n", "cannot be read by this Python: line 1: unterminated string literal"),
        (b"x = 1\0\n", "null bytes"),
        (b"# coding: klingon\n", "unknown encoding"),
        (b"x = '\xff'\n", "invalid or missing encoding"),
    ],
)
def test_what_this_python_cannot_read_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        strip_source(data)


def test_deep_nesting_is_refused_and_does_not_crash() -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        strip_source(b"x = " + b"(" * 5000 + b")" * 5000 + b"  # c\n")


def test_a_program_of_many_levels_is_compared_without_recursion() -> None:
    before = "x = 1" + " + 1" * 600 + "  # c\n"

    assert ast.dump(ast.parse(strip_source(before.encode()))) == ast.dump(ast.parse(before))


def test_warnings_of_the_file_are_not_told() -> None:
    assert strip_source(b"x = '\\d'  # c\n") == b"x = '\\d'\n"
