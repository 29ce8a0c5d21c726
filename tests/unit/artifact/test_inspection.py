"""What would fail on Lambda, told of anybody's zip."""

from __future__ import annotations

import io
import stat
import struct
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.artifact.inspection import Inspection, inspect_artifact
from bareboat.errors import ArtifactError

from .conftest import elf, zipped

HANDLER = b"def handle(event, context):\n    return event\n"


def texts(found: Inspection) -> str:
    return "\n".join(problem.found for problem in found.problems)


def test_a_plain_zip_has_no_problem(tmp_path: Path) -> None:
    found = inspect_artifact(zipped(tmp_path / "a.zip", {"handler.py": HANDLER, "p/a.so": elf()}))

    assert found.problems == []
    assert (found.files, found.native, str(found.target)) == (2, 1, "python3.13 on linux x86_64")


def test_an_empty_zip_and_an_empty_module_are_told(tmp_path: Path) -> None:
    assert texts(inspect_artifact(zipped(tmp_path / "a.zip", {}))) == "it holds no file"

    found = inspect_artifact(zipped(tmp_path / "b.zip", {"p/y.cpython-311-x86_64-linux-gnu.so": b""}))

    assert texts(found) == "p/y.cpython-311-x86_64-linux-gnu.so is empty"
    assert found.origin == "the names of its native files"


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_missing_library_is_named_with_its_user_and_the_way_out(tmp_path: Path, as_folder: bool) -> None:
    files = {"p/a.so": elf(needed=b"libgomp.so.1"), "p/b.so": elf(needed=b"libexotic.so.2")}
    if as_folder:
        (tmp_path / "a" / "p").mkdir(parents=True)
        for name, data in files.items():
            (tmp_path / "a" / name).write_bytes(data)
    else:
        zipped(tmp_path / "a", files)

    found = inspect_artifact(tmp_path / "a")

    assert "libexotic.so.2 is missing; wanted by p/b.so" in texts(found)
    (gomp,) = [one for one in found.problems if "libgomp" in one.found]
    assert "bareboat package puts libgomp.so.1 into lib/ by itself" in gomp.fix


def test_a_library_out_of_reach_is_told_unless_python_code_loads_it(tmp_path: Path) -> None:
    files = {"p/a.so": elf(needed=b"libx.so.1"), "p/deep/libx.so.1": elf()}

    assert "no search of the loader ends at p/deep/libx.so.1" in texts(
        inspect_artifact(zipped(tmp_path / "a.zip", files))
    )
    files["p/__init__.py"] = b"import ctypes\nctypes.CDLL('deep/libx.so.1')\n"
    assert inspect_artifact(zipped(tmp_path / "b.zip", files)).problems == []


def test_another_cpu_and_another_python_are_told_by_package(tmp_path: Path) -> None:
    files = {f"p/{name}.cpython-311-aarch64-linux-gnu.so": elf(183) for name in "abcde"}

    found = inspect_artifact(zipped(tmp_path / "a.zip", files), python="python3.12", architecture="x86_64")

    assert len(found.problems) == 2
    assert "and 2 more were compiled for aarch64" in texts(found)
    assert "p was compiled for python3.11: " in texts(found)
    assert found.origin == "the flags"


def test_a_module_that_is_there_for_the_right_python_too_is_no_problem(tmp_path: Path) -> None:
    files = {f"p/a.cpython-3{minor}-x86_64-linux-gnu.so": elf() for minor in (11, 12)} | {"p/b.abi3.so": elf()}

    assert inspect_artifact(zipped(tmp_path / "a.zip", files), python="3.12").problems == []


def test_names_that_leave_the_zip_and_odd_ones_are_told(tmp_path: Path) -> None:
    files = {"../out.py": b"", "/abs.py": b"", "a\nb.py": b"", "p": b"", "p/q.py": b"", "Readme": b"", "readme": b""}

    found = inspect_artifact(zipped(tmp_path / "a.zip", files))

    assert "../out.py, /abs.py would be unpacked outside" in texts(found)
    assert "control character" in texts(found)
    assert "p is a file and a folder" in texts(found)
    assert any("upper and lower case" in note.text for note in found.notes)


def test_files_that_lambdas_user_cannot_read_are_told(tmp_path: Path) -> None:
    found = inspect_artifact(zipped(tmp_path / "a.zip", {"handler.py": HANDLER}, mode=0o600))

    assert texts(found) == "handler.py can be read by its owner only, who is not Lambda's user"


def test_links_are_followed_by_the_eye(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, to in (("out", "/etc/passwd"), ("up", "../x"), ("gone", "nothing"), ("good", "a.py")):
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, to)
        archive.writestr("a.py", b"")

    found = inspect_artifact(tmp_path / "a.zip")

    assert "out, up is a link that leads out of the artifact" in texts(found)
    assert any(note.text == "gone is a link to nothing" for note in found.notes)


def test_the_zip_of_zip_true_is_looked_into(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("p/a.cpython-311-aarch64-linux-gnu.so", elf(183, needed=b"libexotic.so.2"))
        archive.writestr("q/lib/lib_q.so", elf(183, needed=b"libgomp.so.1"))
        archive.writestr("q/__init__.py", "import ctypes\nctypes.CDLL('lib_q.so')\n")

    found = inspect_artifact(zipped(tmp_path / "a.zip", {".requirements.zip": inner.getvalue(), "h.py": HANDLER}))

    assert (str(found.target), found.origin) == ("python3.11 on linux arm64", "its native files")
    assert [problem.found.partition(";")[0] for problem in found.problems] == [
        "libexotic.so.2 is missing",
        "libgomp.so.1 is missing",
    ]
    assert "wanted by .requirements.zip/p/a." in texts(found)
    assert "wanted by .requirements.zip/q/lib/lib_q.so" in texts(found)
    assert any("unpacked to /tmp at every cold start" in note.text for note in found.notes)


def test_what_lies_in_layers_counts(tmp_path: Path) -> None:
    own = zipped(tmp_path / "a.zip", {"p/a.so": elf(needed=b"libx.so.1"), "p/b.so": elf(needed=b"liby.so.1")})
    first = zipped(tmp_path / "first.zip", {"lib/libx.so.1": elf(), "python/q/c.so": elf(needed=b"libexotic.so.2")})
    (tmp_path / "second" / "lib").mkdir(parents=True)
    (tmp_path / "second" / "lib" / "liby.so.1").write_bytes(elf())

    found = inspect_artifact(own, layers=[first, tmp_path / "second"])

    assert texts(inspect_artifact(own)).count(" is missing") == 2
    assert texts(found) == "libexotic.so.2 is missing; wanted by /opt/python/q/c.so"
    assert (found.native, found.files) == (2, 2)


def test_a_layer_for_another_python_is_told_by_package(tmp_path: Path) -> None:
    own = zipped(tmp_path / "a.zip", {"h.py": HANDLER})
    layer = zipped(tmp_path / "l.zip", {"python/p/a.cpython-311-x86_64-linux-gnu.so": elf()})

    assert "/opt/python/p was compiled for python3.11: " in texts(inspect_artifact(own, python="3.12", layers=[layer]))


def test_the_limits_are_held(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        block = bytes(1 << 20)
        with archive.open("data", "w") as file:
            for _ in range(251):
                file.write(block)

    assert "unzipped it has 263,192,576 bytes" in texts(inspect_artifact(tmp_path / "a.zip"))


def test_stale_bytecode_is_told_with_its_cost_and_valid_is_not(tmp_path: Path) -> None:
    def bytecode(flags: int, size: int = len(HANDLER)) -> bytes:
        return struct.pack("<4sIII", b"\xf3\r\r\n", flags, 1_700_000_000, size)

    paths = ("__pycache__/a.cpython-313.pyc", "__pycache__/b.cpython-313.pyc", "__pycache__/c.cpython-312.pyc")
    files = {"a.py": HANDLER, "b.py": HANDLER, "c.py": HANDLER, paths[0]: bytecode(0), paths[1]: bytecode(1),
             paths[2]: bytecode(1)}  # fmt: skip

    notes = [note.text for note in inspect_artifact(zipped(tmp_path / "a.zip", files)).notes]

    assert len(notes) == 2
    assert any("1 of 3 .pyc files are stale (the zip gives their source another date)" in text for text in notes)
    assert any("1 of 3 .pyc files are of another Python than 3.13" in text for text in notes)


def test_a_damaged_library_is_told_and_damaged_data_is_not(tmp_path: Path) -> None:
    files = {"p/a.so": elf()[:80], "p/data.bin": elf()[:80]}

    assert "p/a.so is cut off or damaged" in texts(inspect_artifact(zipped(tmp_path / "a.zip", files)))
    assert len(inspect_artifact(tmp_path / "a.zip").problems) == 1


def test_a_library_of_macos_is_told(tmp_path: Path) -> None:
    files = {"p/a.cpython-313-darwin.so": b"\xcf\xfa\xed\xfe" + bytes(60)}

    assert "was compiled for macOS" in texts(inspect_artifact(zipped(tmp_path / "a.zip", files)))


def test_what_is_no_zip_or_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"handler.py": HANDLER})
    path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(ArtifactError, match="is no zip, or is cut off"):
        inspect_artifact(path)


def test_a_damaged_member_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"p/a.so": elf()})
    data = bytearray(path.read_bytes())
    data[data.index(b"\x7fELF") + 30] ^= 255
    path.write_bytes(data)

    assert "p/a.so is damaged: Bad CRC-32" in texts(inspect_artifact(path))


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_an_altered_zip_is_looked_through_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = zipped(Path(folder) / "a.zip", {"p/a.so": elf(needed=b"libx.so"), "app.py": HANDLER})
        data = bytearray(path.read_bytes())
        for place, value in changes:
            data[place % len(data)] = value
        path.write_bytes(data[: len(data) - cut])

        with suppress(ArtifactError):
            inspect_artifact(path)


def test_seventy_thousand_files_are_looked_through(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(70_000):
            archive.writestr(f"p{number % 100}/{number}.txt", b"")

    assert inspect_artifact(tmp_path / "a.zip").files == 70_000
