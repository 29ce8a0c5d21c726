"""Requirements that cannot be had: what a person is told, with the line, by uv and an index on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.install import install
from bareboat.packaging.requirements import RequirementRules, read_requirements
from bareboat.packaging.resolve import Resolution, resolve
from bareboat.packaging.target import Target

NEW = Target("3.13", "arm64")
OLD = Target("3.11", "x86_64")
X86 = "cp313-cp313-manylinux_2_17_x86_64"


@pytest.fixture(autouse=True)
def only_this_index(index: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    index.add("plain", "1.0")
    index.add("plain", "2.0")


def chosen(folder: Path, text: str, target: Target = NEW, **more: str) -> Resolution:
    (folder / "requirements.txt").write_text(text)
    for name, content in more.items():
        (folder / f"{name}.txt").write_text(content)
    return resolve(read_requirements(folder, RequirementRules()), target)


def refused(folder: Path, text: str, target: Target = NEW, **more: str) -> Problem:
    with pytest.raises(PackagingError) as caught:
        chosen(folder, text, target, **more)
    problem = caught.value.problems[0]
    assert problem.where.startswith(str(folder)), problem
    problem.where = problem.where.removeprefix(f"{folder}/")
    return problem


def test_a_requirement_that_does_not_exist(tmp_path: Path) -> None:
    problem = refused(tmp_path, "plain\n\nnowhere>=1\n")

    assert problem.where == "requirements.txt:3"
    assert problem.found == "nowhere is in no package index"
    assert "--extra-index-url" in problem.fix


def test_one_that_a_requirement_pulls_in_and_that_does_not_exist(tmp_path: Path, index: Any) -> None:
    index.add("outer", "1.0", requires=("nowhere>1",))

    problem = refused(tmp_path, "plain\nouter\n")

    assert problem.where == "requirements.txt:2"
    assert problem.found == "nowhere, which outer needs, is in no package index"


def test_a_version_that_does_not_exist_has_the_newest_named(tmp_path: Path) -> None:
    problem = refused(tmp_path, "plain==9\n")

    assert (problem.where, problem.found) == ("requirements.txt:1", "there is no version of plain==9")
    assert "ask for plain==2.0" in problem.fix


def test_a_conflict_names_both_that_require(tmp_path: Path, index: Any) -> None:
    index.add("aa", "1.0", requires=("plain<2",))
    index.add("bb", "1.0", requires=("plain>=2",))

    problem = refused(tmp_path, "aa\n# and\nbb\n")

    assert problem.where in {"requirements.txt:1", "requirements.txt:3"}
    assert "bb depend on plain>=2 and all versions of aa depend on plain<2" in problem.found
    assert f"bb ({tmp_path}/requirements.txt:3)" in problem.fix
    assert f"aa ({tmp_path}/requirements.txt:1)" in problem.fix


def test_a_conflict_with_a_constraint_names_its_file(tmp_path: Path, index: Any) -> None:
    index.add("bb", "1.0", requires=("plain>=2",))

    problem = refused(tmp_path, "bb\n-c limits.txt\n", limits="\nplain<2\n")

    assert f"plain<2 ({tmp_path}/limits.txt:2)" in problem.fix


def test_a_package_for_other_machines_only(tmp_path: Path, index: Any) -> None:
    index.add("fast", "2.0", tag=X86)
    index.add("fast", "1.0", tag="cp313-cp313-manylinux_2_17_aarch64")
    index.add("outer", "1.0", requires=("fast>=2",))

    problem = refused(tmp_path, "fast==2.0\n")
    pulled_in = refused(tmp_path, "plain\nouter\n")

    assert problem.where == "requirements.txt:1"
    assert problem.found == "fast==2.0 has no wheel for python3.13 on linux arm64"
    assert "there are wheels for cp313 manylinux_2_17_x86_64" in problem.expected
    assert problem.fix.startswith("ask for fast==1.0, the newest that has one")
    assert "noDeploy" in problem.fix
    assert (pulled_in.where, pulled_in.found[:34]) == ("requirements.txt:2", "fast==2.0, which outer needs, has ")


def test_a_package_for_another_python_only(tmp_path: Path, index: Any) -> None:
    index.add("compiled", "1.0", tag="cp312-cp312-manylinux_2_17_aarch64")
    index.add("newer", "1.0", python=">=3.14")

    by_tag = refused(tmp_path, "compiled\n")
    by_metadata = refused(tmp_path, "plain\nnewer\n")

    assert by_tag.fix.startswith("runtime: python3.12 in serverless.yml, which has one")
    assert (by_metadata.where, by_metadata.found) == ("requirements.txt:2", "newer==1.0 runs on Python >=3.14 only")
    assert by_metadata.fix == "runtime: python3.14 in serverless.yml, which has one"


def test_a_source_that_does_not_build_here(tmp_path: Path, index: Any) -> None:
    index.add_source("grown", "1.0")  # its builder, setuptools, is in no index

    problem = refused(tmp_path, "plain\ngrown\n")

    assert problem.where == "requirements.txt:2"
    assert problem.found.startswith("grown 1.0 comes as source only, and could not be built: ")
    assert "./wheels/NAME.whl" in problem.fix


def test_what_its_makers_took_back(tmp_path: Path, index: Any) -> None:
    index.yanked[index.add("sunk", "1.1")] = "it leaks"

    problem = refused(tmp_path, "sunk\n")
    asked_for = chosen(tmp_path, "sunk==1.1\n")

    assert problem.where == "requirements.txt:1"
    assert problem.found.startswith("sunk==1.1 was taken back by its makers (yanked): it leaks")
    assert [pin.version for pin in asked_for.pins] == ["1.1"]
    assert asked_for.notes[0].startswith("sunk 1.1 was taken back by its makers (yanked)")


@pytest.mark.parametrize(("status", "said"), [(401, "401 Unauthorized"), (403, "403 Forbidden")])
def test_an_index_that_refuses(tmp_path: Path, index: Any, status: int, said: str) -> None:
    index.status = status
    own = index.url.replace("//", "//user:secret@") + "/own"

    problem = refused(tmp_path, f"--extra-index-url {own}\nplain\n")

    assert problem.where == "requirements.txt:1"
    assert problem.found.startswith(index.url)
    assert problem.found.endswith(f"refuses to show plain: {said}")
    assert "~/.netrc" in problem.fix
    assert "secret" not in str(problem)


def test_an_index_that_fails(tmp_path: Path, index: Any) -> None:
    index.status = 503

    problem = refused(tmp_path, "plain\n")

    assert problem.where == "requirements.txt:1"
    assert "does not answer as it should: HTTP status server error (503 Service Unavailable)" in problem.found


def test_a_line_that_is_no_requirement_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path, "plain\nplain=>3\n").where == "requirements.txt:2"
    missing = refused(tmp_path, "plain\n-e ./lib\n")
    assert (missing.where, missing.found) == ("requirements.txt:2", f"{tmp_path}/lib is not there")


def test_a_hash_that_is_not_the_files(tmp_path: Path) -> None:
    problem = refused(tmp_path, f"\nplain==1.0 --hash=sha256:{'0' * 64}\n")

    assert problem.where == "requirements.txt:2"
    assert "the sha256 of plain-1.0-py3-none-any.whl is" in problem.found


def test_a_glibc_that_uv_has_no_name_for_is_met_by_the_wheels_names(tmp_path: Path, index: Any) -> None:
    index.add("ag", "3.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    index.add("ag", "2.1", tag="cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64")
    index.add("ag", "2.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    index.add("two", "1.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    index.add("two", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    index.add("modern", "1.0", tag="cp311-cp311-manylinux_2_28_x86_64")

    found = chosen(tmp_path, "ag\ntwo\n", OLD)

    assert [pin.wheel for pin in found.pins] == [
        "ag-2.1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
        "two-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
    ]
    assert found.notes[0].startswith("ag is held at 2.1: the wheels of 3.0 need a newer glibc than the 2.26")
    assert len(install(found, found.pins, tmp_path / "installed" / "tree")) == 2
    pinned = refused(tmp_path, "ag==3.0\n", OLD)
    assert pinned.fix.startswith("ask for ag==2.1, the newest that has one")
    assert refused(tmp_path, "modern\n", OLD).found == "modern==1.0 has no wheel for python3.11 on linux x86_64"


@pytest.mark.parametrize(
    ("mishap", "found"),
    [
        ("changed", "the file of plain 1.0 has changed: its sha256 is "),
        ("cut", "the file of plain 1.0 did not come whole: end of file before message length reached"),
        ("refuses", "the package index refuses the file of plain 1.0: 403 Forbidden"),
        ("gone", "the file of plain 1.0 is no longer where it was: 404 Not Found"),
    ],
)
def test_a_locked_file_that_cannot_be_had(
    tmp_path: Path,
    index: Any,
    monkeypatch: pytest.MonkeyPatch,
    mishap: str,
    found: str,
) -> None:
    resolution = chosen(tmp_path, "plain==1.0\n")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another"))
    name = "plain-1.0-py3-none-any.whl"
    if mishap == "changed":
        index.add("plain", "1.0", code="MISCHIEF = 1\n")
    elif mishap == "cut":
        index.cut = True
    elif mishap == "refuses":
        index.status = 403
    else:
        del index.files[name]

    with pytest.raises(PackagingError) as caught:
        install(resolution, resolution.pins, tmp_path / "installed" / "tree")

    assert caught.value.problems[0].found.startswith(found)
    assert caught.value.problems[0].fix


def test_uv_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("uv.find_uv_bin", nowhere)

    with pytest.raises(PackagingError, match=r"uv is missing(.|\n)*pip install uv"):
        chosen(tmp_path, "plain\n")
