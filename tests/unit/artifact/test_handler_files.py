"""Handlers as written, and the files that must ship for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bareboat.artifact.handlers import check_handlers, module_files
from bareboat.artifact.shipping import imports_of_bareboat
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function

Make = Callable[..., Function]


# awslambdaric 4.2 turns `/` into `.` and splits at the last dot: `sub/pkg/m.h` and `sub.pkg.m.h` both work.
@pytest.mark.parametrize(
    ("handler", "module"),
    [("handler.predict", "handler"), ("sub/pkg/m.h", "sub/pkg/m"), ("sub.pkg.m.h", "sub/pkg/m"), ("./m.h", "m")],
)
def test_both_ways_of_writing_a_handler_lead_to_its_file(handler: str, module: str) -> None:
    assert module_files(handler) == (f"{module}.py", f"{module}/__init__.py")


def test_a_module_a_package_and_a_compiled_module_are_found(make_function: Make, tmp_path: Path) -> None:
    functions = [
        make_function("a", handler="a.f"),
        make_function("b", handler="p/b.f"),
        make_function("c", handler="c.f"),
    ]

    check_handlers(functions, {"a.py", "p/b/__init__.py", "c.cpython-313-aarch64-linux-gnu.so"}, tmp_path)


def test_every_missing_file_is_told_with_the_nearest_that_ships(make_function: Make, tmp_path: Path) -> None:
    functions = [make_function("a", handler="handlr.predict"), make_function("b", handler="nothing.f")]

    with pytest.raises(ConfigurationError) as caught:
        check_handlers(functions, {"handler.py"}, tmp_path)
    assert len(caught.value.problems) == 2
    assert "serverless.yml:7:3: functions.a.handler is handlr.predict, and there is no handlr.py" in str(caught.value)
    assert "fix       handler: handler.predict" in str(caught.value)


def test_a_file_that_a_pattern_leaves_out_is_told_as_such(make_function: Make, tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("")

    with pytest.raises(ConfigurationError, match=r"handler\.py does not ship(.|\n)*package\.patterns"):
        check_handlers([make_function("a")], {"other.py"}, tmp_path)


def test_imports_of_bareboat_are_found_in_the_syntax_tree(tmp_path: Path) -> None:
    texts = {
        "a.py": "from bareboat.runtime import load_forest\n",
        "b.py": "def f():\n    import bareboat.runtime.forest as f\n",
        "c.py": "# import bareboat\ntext = 'import bareboat'\n",
        "d.py": "from bareboats import x\nimport bareboaty\n",
        "e.py": "from bareboat import (\n  load_forest,\n)\n",
        "f.py": "import bareboat.runtime (\n",
        "g.txt": "import bareboat\n",
        "h.py": "from .bareboat import x\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)

    found = imports_of_bareboat((name, tmp_path / name) for name in texts)

    assert found == {"a.py": ("bareboat.runtime",), "b.py": ("bareboat.runtime.forest",), "e.py": ("bareboat",)}
