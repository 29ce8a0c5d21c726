"""What is dropped of packages because no sample used it, and what stays all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from bareboat.packaging.elf import Elf
from bareboat.packaging.packs import Member, Pack
from bareboat.packaging.used import Used, normalised, without_unused


def pack(*paths: str, version: str = "1", elves: Mapping[str, Elf] | None = None) -> Pack:
    members = tuple(Member(path, 10, 5, True, False, "", 0, 0) for path in sorted(paths))
    return Pack("a", version, members, dict(elves or {}))


def left(packs: Iterable[Pack], used: Used) -> set[str]:
    return {member.path for pack in without_unused(tuple(packs), used) for member in pack.members}


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("a/b.cpython-312-x86_64-linux-gnu.so", "a/b.so"),
        ("a/b.cpython-312-aarch64-linux-gnu.so", "a/b.so"),
        ("a/b.cp312-win_amd64.pyd", "a/b.so"),
        ("a/b.abi3.so", "a/b.so"),
        ("a/lib_lightgbm.so", "a/lib_lightgbm.so"),
        ("numpy.libs/libscipy_openblas64_-8fb3d286.so", "numpy.libs/libscipy_openblas64_.so"),
        ("numpy.libs/libgfortran-040039e1-0352e75f.so.5.0.0", "numpy.libs/libgfortran.so.5.0.0"),
        ("a/x-0123abcd.so", "a/x-0123abcd.so"),
        ("a/__pycache__/b.cpython-312.pyc", "a/b.py"),
        ("__pycache__/six.cpython-312.pyc", "six.py"),
        ("a/data-0123abcd.json", "a/data-0123abcd.json"),
    ],
)
def test_a_path_is_the_same_on_every_machine(path: str, normal: str) -> None:
    assert normalised(path) == normal


def test_unused_members_go_and_are_counted() -> None:
    (slimmed,) = without_unused([pack("a/__init__.py", "a/b.py", "a/c.py")], Used(frozenset({"a/b.py"})))

    assert [member.path for member in slimmed.members] == ["a/__init__.py", "a/b.py"]
    assert [(one.reason, one.paths) for one in slimmed.removed] == [("not used by the samples", {"a/c.py": 10})]


def test_bytecode_goes_where_its_source_goes() -> None:
    paths = ("a/b.py", "a/__pycache__/b.cpython-312.pyc", "a/c.py", "a/__pycache__/c.cpython-312.pyc")

    assert left([pack(*paths)], Used(frozenset({"a/b.py"}))) == set(paths[:2])


def test_init_files_above_a_used_module_stay() -> None:
    found = left([pack("a/__init__.py", "a/b/__init__.py", "a/b/c.json", "a/d/__init__.py")],
                 Used(frozenset({"a/b/c.json"})))  # fmt: skip

    assert found == {"a/__init__.py", "a/b/__init__.py", "a/b/c.json"}


def test_metadata_and_licences_stay() -> None:
    paths = {"a-1.dist-info/METADATA", "a-1.dist-info/licenses/x/LICENSE", "a/LICENSE.txt", "a.libs/NOTICE"}

    assert left([pack("a/x.py", *paths)], Used(frozenset())) == paths


def test_what_a_kept_library_needs_stays_in_other_packages_too() -> None:
    one = pack("a/x.so", "a/y.so", elves={"a/x.so": Elf("x86_64", ("libm.so.6", "libq.so.1")), "a/y.so": Elf("x86_64")})
    other = pack(
        "b.libs/libq-01234567.so.1", "b.libs/libz.so",
        elves={"b.libs/libq-01234567.so.1": Elf("x86_64", ("libz.so",), soname="libq.so.1"),
               "b.libs/libz.so": Elf("x86_64")},
    )  # fmt: skip

    assert left([one, other], Used(frozenset({"a/x.so"}))) == {"a/x.so", "b.libs/libq-01234567.so.1", "b.libs/libz.so"}


def test_folders_that_code_listed_stay_with_what_lies_in_them() -> None:
    found = left([pack("a/p/x.py", "a/p/y.json", "a/p/q/z.py")], Used(frozenset(), frozenset({"a/p"})))

    assert found == {"a/p/x.py", "a/p/y.json"}


def test_what_a_pattern_with_an_exclamation_mark_names_stays() -> None:
    packs = without_unused([pack("a/__init__.py", "a/b/c.py", "a/d.py")], Used(frozenset()), ("**/*.bin", "!a/b"))

    assert [member.path for member in packs[0].members] == ["a/__init__.py", "a/b/c.py"]


def test_what_is_no_package_stays_whole() -> None:
    project = pack("handler.py", "never.py", version="")

    assert without_unused([project], Used(frozenset())) == (project,)
