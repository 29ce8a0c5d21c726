"""The rules by which a native library is missing, too new or for another machine."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.elf import Elf, is_elf, read_elf
from bareboat.packaging.native import check_native, refuse
from bareboat.packaging.redistributable import COPIES, is_redistributable
from bareboat.packaging.target import Target

X86, ARM, OLD = Target("3.13", "x86_64"), Target("3.13", "arm64"), Target("3.11", "x86_64")


def test_the_images_own_libraries_are_not_missing() -> None:
    elf = Elf("x86_64", ("libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libpthread.so.0"))

    assert check_native({"a.so": elf}, X86).missing == {}


def test_a_library_that_nobody_brings_is_missing_and_its_users_are_named() -> None:
    elves = {"b.so": Elf("x86_64", ("libgomp.so.1",)), "a.so": Elf("x86_64", ("libgomp.so.1", "libc.so.6"))}

    assert check_native(elves, X86).missing == {"libgomp.so.1": ("a.so", "b.so")}


def test_a_library_in_the_archive_is_found_by_file_name_or_by_its_own_name() -> None:
    user = Elf("x86_64", ("libx.so.1", "liby.so.2"), search=("$ORIGIN/own.libs",))
    other = Elf("x86_64", ("liby-real.so",), search=("$ORIGIN",))
    elves = {
        "a.so": user,
        "own.libs/libx.so.1": Elf("x86_64"),
        "p/b.so": other,
        "p/liby-real.so": Elf("x86_64", soname="liby.so.2"),
    }

    report = check_native(elves, X86)

    assert (report.missing, report.out_of_reach) == ({}, ())


def test_a_mangled_copy_of_libgomp_does_not_count_as_libgomp() -> None:
    mangled = "scikit_learn.libs/libgomp-e985bcbb.so.1.0.0"
    elves = {"a.so": Elf("x86_64", ("libgomp.so.1",)), mangled: Elf("x86_64", soname="libgomp-e985bcbb.so.1.0.0")}

    assert list(check_native(elves, X86).missing) == ["libgomp.so.1"]


# numba 0.68.1's wheel, read with readelf: tbbpool needs libtbb.so.12, omppool libgomp.so.1.0.0, and it brings neither.
def test_a_file_that_its_package_does_without_is_told_and_not_refused() -> None:
    pool = "numba/np/ufunc/tbbpool.cpython-312-x86_64-linux-gnu.so"
    report = check_native(
        {pool: Elf("x86_64", ("libtbb.so.12",)), "numba/core.so": Elf("x86_64", ("libtbb.so.12",))}, X86
    )

    assert report.optional == ((pool, "libtbb.so.12", "numba takes another threading layer"),)
    assert report.missing == {"libtbb.so.12": ("numba/core.so",)}


def test_opencv_with_windows_is_cured_by_the_one_without() -> None:
    report = check_native({"cv2/cv2.abi3.so": Elf("x86_64", ("libGL.so.1",))}, X86)

    with pytest.raises(PackagingError, match="opencv-python-headless in place of opencv-python"):
        refuse(report, X86)


def test_the_other_cpu_is_refused() -> None:
    report = check_native({"a.so": Elf("x86_64")}, ARM)

    with pytest.raises(PackagingError, match=r"a\.so was compiled for x86_64(.|\n)*expected  aarch64"):
        refuse(report, ARM)


# glibc 2.26 is Amazon Linux 2's, 2.34 Amazon Linux 2023's; numpy 2.5's wheels need GLIBC_2.27 (measured with readelf).
def test_a_symbol_newer_than_the_images_glibc_is_refused_with_the_runtime_that_has_it() -> None:
    numpy = {"numpy.so": Elf("x86_64", ("libc.so.6",), {"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.27", "GLIBC_2.14")})}

    refuse(check_native(numpy, X86), X86)
    with pytest.raises(PackagingError) as caught:
        refuse(check_native(numpy, OLD), OLD)
    assert "numpy.so needs GLIBC_2.27 of libc.so.6" in str(caught.value)
    assert "at most GLIBC_2.26" in str(caught.value)
    assert "python3.12 or later" in str(caught.value)


def test_versions_compare_as_numbers() -> None:
    elf = Elf(
        "x86_64",
        (),
        {"libc.so.6": ("GLIBC_2.4", "GLIBC_PRIVATE", "GLIBC_ABI_DT_RELR"), "libstdc++.so.6": ("GLIBCXX_3.4.9",)},
    )

    assert check_native({"a.so": elf}, OLD).too_new == ()


def test_a_libstdcxx_of_the_archives_own_may_be_newer() -> None:
    elves = {
        "a.so": Elf("x86_64", ("libstdc++.so.6",), {"libstdc++.so.6": ("GLIBCXX_3.4.32",)}),
        "lib/libstdc++.so.6": Elf("x86_64", soname="libstdc++.so.6"),
    }

    assert check_native(elves, X86).too_new == ()
    assert check_native({"a.so": elves["a.so"]}, X86).too_new == (
        ("a.so", "GLIBCXX_3.4.32", "libstdc++.so.6", "GLIBCXX_3.4.29"),
    )


def test_every_problem_is_told_at_once() -> None:
    elves = {"a.so": Elf("x86_64", ("libGL.so.1", "libX11.so.6")), "b.so": Elf("aarch64")}

    with pytest.raises(PackagingError) as caught:
        refuse(check_native(elves, X86), X86, where="serverless.yml")
    assert len(caught.value.problems) == 3
    assert "slimPatterns: ['a.so']" in str(caught.value)


def test_libgomp_may_be_passed_on_for_both_cpus_and_nothing_else() -> None:
    assert is_redistributable("libgomp.so.1", X86)
    assert is_redistributable("libgomp.so.1", ARM)
    assert not is_redistributable("libGL.so.1", X86)
    assert len({copy.sha256 for copy in COPIES.values()}) == len(COPIES)


@pytest.mark.parametrize("data", [b"\x7fELF", b"\x7fELF\x02\x01\x01" + b"\0" * 57, b"\x7fELF" + b"\xff" * 500])
def test_a_damaged_elf_file_is_a_value_error_never_a_crash(data: bytes) -> None:
    assert is_elf(data)
    with suppress(ValueError):
        assert read_elf(data) is None
