"""What `safe` slimming takes from a package, and what it must not take."""

from __future__ import annotations

from pathlib import Path

from bareboat.packaging.slim import Slimming, count_removed, removed_files


def package(folder: Path, **texts: str) -> dict[str, Path]:
    files = {}
    for number, (path, text) in enumerate(texts.items()):
        source = folder / str(number)
        source.write_text(text)
        files[path] = source
    return files


def slim(folder: Path, *paths: str, slimming: Slimming | None = None, **texts: str) -> dict[str, str]:
    return removed_files(package(folder, **dict.fromkeys(paths, "x"), **texts), slimming or Slimming())


def test_what_python_never_reads_goes(tmp_path: Path) -> None:
    removed = slim(
        tmp_path, "a/__init__.py", "a/__init__.pyi", "a/_c.pyx", "a/_c.pxd", "a/include/a.h", "a/lib/liba.a",
        "a/_c.cpython-313-x86_64-linux-gnu.so", "a/data.json", "bin/a", "a/__pycache__/__init__.cpython-313.pyc",
        "a.libs/libx-123.so.1",
    )  # fmt: skip

    assert removed == {
        "a/__init__.pyi": "type stubs",
        "a/_c.pyx": "sources of compiled modules",
        "a/_c.pxd": "sources of compiled modules",
        "a/include/a.h": "headers",
        "a/lib/liba.a": "static libraries",
        "bin/a": "commands",
        "a/__pycache__/__init__.cpython-313.pyc": "caches",
    }


def test_metadata_that_importlib_reads_and_licences_stay(tmp_path: Path) -> None:
    info = "a-1.dist-info"
    kept = [
        f"{info}/{name}" for name in ("METADATA", "entry_points.txt", "licenses/sub/LICENSE", "LICENSE.txt", "NOTICE")
    ]
    gone = [
        f"{info}/{name}" for name in ("RECORD", "WHEEL", "INSTALLER", "REQUESTED", "direct_url.json", "sboms/a.json")
    ]

    assert slim(tmp_path, *kept, *gone) == dict.fromkeys(gone, "metadata")


def test_folders_of_tests_go_but_not_a_package_of_that_name(tmp_path: Path) -> None:
    removed = slim(tmp_path, "a/tests/test_x.py", "a/b/test/data/big.csv", "a/testing/x.py", "tests/x.py", "a/tests.py")

    assert removed == {"a/tests/test_x.py": "tests", "a/b/test/data/big.csv": "tests"}


def test_tests_that_another_module_imports_stay(tmp_path: Path) -> None:
    for statement in (
        "from a.test.signals import changed\n",
        "from .test import signals\n",
        "def f():\n    import a.test.signals as s\n",
        "from . import test\n",
        "from a import (\n    b,\n    test,\n)\n",
    ):
        removed = slim(
            tmp_path, "a/test/signals.py", "a/test/__init__.py", "a/c/tests/x.py", **{"a/core.py": statement}
        )

        assert removed == {"a/c/tests/x.py": "tests"}, statement


def test_a_private_script_that_nobody_imports_saves_no_tests(tmp_path: Path) -> None:
    # as scipy.special._precompute.hyp2f1_data does
    texts = {"a/_make/data.py": "from a.tests.test_x import y\n"}

    assert slim(tmp_path, "a/tests/test_x.py", "a/core.py", **texts) == {"a/tests/test_x.py": "tests"}
    assert slim(tmp_path, "a/tests/test_x.py", **texts, **{"a/core.py": "from ._make import data\n"}) == {}


def test_imports_among_tests_save_none(tmp_path: Path) -> None:
    removed = slim(tmp_path, "a/tests/common.py", **{"a/tests/test_x.py": "from a.tests.common import y\n"})

    assert set(removed) == {"a/tests/common.py", "a/tests/test_x.py"}


def test_slim_patterns_take_more_away(tmp_path: Path) -> None:
    removed = slim(tmp_path, "a/x.py", "a/data/big.bin", "a/x.pyi", slimming=Slimming(patterns=("**/*.bin",)))

    assert removed == {"a/data/big.bin": "slimPatterns", "a/x.pyi": "type stubs"}


def test_slim_patterns_take_folders_away_as_the_plugin_has_it(tmp_path: Path) -> None:
    removed = slim(tmp_path, "a/x.py", "a/docs/x.rst", "a/b/docs/y/z.py", slimming=Slimming(patterns=("**/docs",)))

    assert removed == {"a/docs/x.rst": "slimPatterns", "a/b/docs/y/z.py": "slimPatterns"}


def test_a_pattern_with_an_exclamation_mark_keeps_against_the_rules(tmp_path: Path) -> None:
    patterns = ("**/*.bin", "!a/tests/**", "!a/x.pyi", "!b")
    files = ("a/tests/x.py", "a/b/tests/x.py", "a/x.pyi", "a/y.pyi", "a/tests/y.bin", "b/tests/x.py")

    assert slim(tmp_path, *files, slimming=Slimming(patterns=patterns)) == {
        "a/b/tests/x.py": "tests", "a/y.pyi": "type stubs",
    }  # fmt: skip


def test_nothing_goes_at_level_none(tmp_path: Path) -> None:
    assert slim(tmp_path, "a/tests/x.py", "a/y.bin", slimming=Slimming("none", patterns=("**/*.bin",))) == {}


def test_sources_of_compilers_and_files_of_other_systems_go(tmp_path: Path) -> None:
    paths = {
        "a/_c.c": "sources of compiled modules", "a/_c.pyx.in": "sources of compiled modules",
        "a/_m.pyx.tp": "sources of compiled modules", "a/meson.build": "build files",
        "a/w64.exe": "files of other systems",
        "a/conftest.py": "tests", "a/_examples/x.py": "examples", "share/jupyter/a.js": "files of other programs",
        "etc/jupyter/a.json": "files of other programs", "a/py.typed": "type stubs",
    }  # fmt: skip

    assert slim(tmp_path, *paths, "share/a/data.json", "a/x.in", "a/share/jupyter.py", "share.py") == paths
    assert removed_files(package(tmp_path, **{"a/w64.exe": "x"}), Slimming(), system="windows") == {}


def test_examples_that_another_module_imports_stay(tmp_path: Path) -> None:
    texts = {"a/core.py": "from a.examples import iris\nfrom . import conftest\n"}

    assert slim(tmp_path, "a/examples/iris.py", "a/conftest.py", **texts) == {}


def test_slim_patterns_alone_when_the_defaults_are_turned_off(tmp_path: Path) -> None:
    removed = slim(
        tmp_path, "a/x.pyi", "a/tests/x.py", "a/b.bin", slimming=Slimming(defaults=False, patterns=("**/*.bin",))
    )

    assert removed == {"a/b.bin": "slimPatterns"}


def test_removed_bytes_are_summed_by_reason(tmp_path: Path) -> None:
    files = package(tmp_path, **{"a/x.pyi": "12345", "a/y.pyi": "123", "bin/a": "1", "a/x.py": "1"})

    counted = count_removed(files, removed_files(files, Slimming()))

    assert [(one.reason, one.files, one.size_bytes) for one in counted] == [("commands", 1, 1), ("type stubs", 2, 8)]
