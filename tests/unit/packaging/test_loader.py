"""Where the dynamic loader looks for a library."""

from __future__ import annotations

from bareboat.packaging.elf import Elf
from bareboat.packaging.lambda_image import PROVIDED
from bareboat.packaging.loader import Loaded, load


def elf(*needed: str, search: tuple[str, ...] = (), soname: str = "", inherits: bool = True) -> Elf:
    return Elf("x86_64", needed, search=search, soname=soname, inherits=inherits)


def loaded(elves: dict[str, Elf], *names: str) -> Loaded:
    return load(elves, names, PROVIDED, "x86_64")


def test_a_path_of_the_file_itself_is_taken_from_where_it_lies() -> None:
    found = loaded({"p/a.so": elf("libx.so", search=("$ORIGIN/../p.libs",)), "p.libs/libx.so": elf()}).found

    assert found == {("p/a.so", "libx.so"): "p.libs/libx.so"}


def test_braces_and_absolute_and_relative_paths_are_read() -> None:
    for folder in ("${ORIGIN}/own", "/var/task/p/own", "p/own"):
        assert loaded({"p/a.so": elf("libx.so", search=(folder,))}, "p/own/libx.so").found


def test_the_library_path_of_lambda_counts_and_layers_do() -> None:
    for place in ("libx.so", "lib/libx.so", "/opt/lib/libx.so"):
        assert loaded({"p/a.so": elf("libx.so", inherits=False)}, place).found


def test_a_library_elsewhere_is_out_of_reach() -> None:
    found = loaded({"p/a.so": elf("libx.so"), "p/libx.so": elf()})

    assert (found.found, found.stranded) == ({}, {("p/a.so", "libx.so"): "p/libx.so"})


def test_rpath_is_handed_down_and_runpath_is_not() -> None:
    libraries = {"l/libx.so": elf("liby.so"), "l/liby.so": elf()}

    by_rpath = loaded({"p/a.so": elf("libx.so", search=("$ORIGIN/../l",)), **libraries})
    by_runpath = loaded({"p/a.so": elf("libx.so", search=("$ORIGIN/../l",), inherits=False), **libraries})

    assert by_rpath.found["l/libx.so", "liby.so"] == "l/liby.so"
    assert by_runpath.stranded == {("l/libx.so", "liby.so"): "l/liby.so"}


def test_a_file_with_a_runpath_of_its_own_inherits_nothing() -> None:
    elves = {
        "p/a.so": elf("libx.so", search=("$ORIGIN/../l",)),
        "l/libx.so": elf("liby.so", search=("$ORIGIN/none",), inherits=False),
        "l/liby.so": elf(),
    }

    assert list(loaded(elves).stranded) == [("l/libx.so", "liby.so")]


def test_what_another_file_maps_is_there_in_the_right_order() -> None:
    elves = {
        "torch/_C.so": elf("libtorch.so", search=("$ORIGIN/lib",)),
        "torch/lib/libtorch.so": elf(soname="libtorch.so"),
        "vision/_C.so": elf("libtorch.so"),
    }

    assert loaded(elves).ordered == {("vision/_C.so", "libtorch.so"): "torch/lib/libtorch.so"}


def test_a_library_is_also_known_by_its_own_name_once_it_is_mapped() -> None:
    elves = {
        "p/a.so": elf("libx-1a2b.so", search=("$ORIGIN",)),
        "p/libx-1a2b.so": elf(soname="libx.so.1"),
        "p/b.so": elf("libx.so.1"),
    }

    assert loaded(elves).ordered == {("p/b.so", "libx.so.1"): "p/libx-1a2b.so"}


def test_files_for_another_cpu_are_passed_over() -> None:
    elves = {"p/a.so": elf("libx.so"), "lib/libx.so": Elf("aarch64")}

    assert loaded(elves).missing == [("p/a.so", "libx.so")]


def test_a_needed_path_is_taken_as_a_path() -> None:
    assert loaded({"p/a.so": elf("$ORIGIN/libx.so")}, "p/libx.so").found
    assert loaded({"p/a.so": elf("/usr/lib/libx.so")}, "lib/libx.so").missing
