"""`bareboat strip` and `bareboat loc`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SOURCE = '"""Doc."""\n\n# why\nx = 1  # noqa: E741\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "b.py").write_text("y = 2\n", encoding="utf-8")
    return tmp_path


def test_strip_changes_files_and_says_how_much(run, project):
    done = run("strip", str(project), "--docstrings", "--keep", "noqa")

    assert done.exit_code == 0
    assert (project / "a.py").read_text(encoding="utf-8") == "\n\n\nx = 1  # noqa: E741\n"
    assert "1 of 2 files changed: 0.000 MB -> 0.000 MB" in done.stderr
    assert done.stdout == ""


def test_check_lists_what_would_change_and_changes_nothing(run, project):
    done = run("strip", str(project), "--check")

    assert done.exit_code == 1
    assert done.stdout == f"{project / 'a.py'}\n"
    assert (project / "a.py").read_text(encoding="utf-8") == SOURCE
    assert run("strip", str(project / "b.py"), "--check").exit_code == 0


def test_diff_shows_what_would_change_and_changes_nothing(run, project):
    done = run("strip", str(project), "--diff", "--blank-lines")

    assert done.exit_code == 0
    assert "-# why\n" in done.stdout
    assert "+x = 1\n" in done.stdout
    assert (project / "a.py").read_text(encoding="utf-8") == SOURCE


def test_a_file_that_is_left_alone_is_named_and_the_exit_code_is_1(run, project):
    (project / "c.py").write_text("print 'x'  # old\n", encoding="utf-8")

    done = run("strip", str(project), "--json")

    assert done.exit_code == 1
    assert "c.py: left alone: cannot be read by this Python: line 1" in done.stderr
    states = {Path(one["path"]).name: one["state"] for one in json.loads(done.stdout)["files"]}
    assert states == {"a.py": "changed", "b.py": "unchanged", "c.py": "left alone"}


def test_a_dash_is_a_filter(run):
    done = run("strip", "-", stdin="x = 'ä'  # ü\r\n".encode())

    assert (done.exit_code, done.stdout_bytes) == (0, "x = 'ä'\r\n".encode())
    assert run("strip", "-", stdin=b"x = (").exit_code == 1


def test_an_output_folder_leaves_the_files_as_they_are(run, project, tmp_path):
    done = run("strip", str(project / "a.py"), "-o", str(tmp_path / "out"))

    assert done.exit_code == 0
    assert (tmp_path / "out" / "a.py").read_text(encoding="utf-8") == '"""Doc."""\n\n\nx = 1\n'
    assert (project / "a.py").read_text(encoding="utf-8") == SOURCE


def test_a_path_that_is_not_there_is_told(run, tmp_path):
    done = run("strip", str(tmp_path / "nothing"))

    assert done.exit_code == 1
    assert "is not there" in done.stderr


def test_loc_counts_by_package_and_by_file(run, project):
    done = run("loc", str(project))
    by_file = run("loc", str(project), "--by", "file")

    assert done.stdout.split("\n")[1].split() == ["(modules)", "2", "5", "1", "1", "1", "2"]
    assert [line.split()[1:] for line in by_file.stdout.split("\n")[1:-1]] == [
        ["1", "4", "1", "1", "1", "1"],
        ["1", "1", "0", "0", "0", "1"],
        ["2", "5", "1", "1", "1", "2"],
    ]


def test_loc_tells_json_and_files_that_it_could_only_count_roughly(run, project):
    (project / "c.py").write_text("print 'x'  # old\n", encoding="utf-8")

    done = run("loc", str(project), "--json")

    assert done.exit_code == 0
    assert "c.py: counted roughly: " in done.stderr
    assert json.loads(done.stdout)["total"] == {
        "files": 3, "physical": 6, "blank": 1, "comment": 1, "docstring": 1, "effective": 3,
    }  # fmt: skip
