"""Which wheels a Linux image loads, by their names (PEP 425, PEP 600)."""

from __future__ import annotations

import pytest

from bareboat.packaging.target import Target
from bareboat.packaging.wheels import best, fits

OLD = Target("3.11", "x86_64")  # Amazon Linux 2, glibc 2.26
NEW = Target("3.13", "arm64")  # Amazon Linux 2023, glibc 2.34


@pytest.mark.parametrize(
    ("wheel", "on_old", "on_new"),
    [
        ("idna-3.10-py3-none-any.whl", True, True),
        ("six-1.17.0-py2.py3-none-any.whl", True, True),
        ("pandas-3.0.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl", True, False),
        ("lxml-6.0.2-cp311-cp311-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl", True, False),
        ("numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", False, False),
        ("numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True, False),
        ("lightgbm-3.3.5-py3-none-manylinux1_x86_64.whl", True, False),
        ("cryptography-46.0.0-cp311-abi3-manylinux_2_17_x86_64.whl", True, False),
        ("cryptography-46.0.0-cp38-abi3-manylinux2014_aarch64.whl", False, True),
        ("cryptography-46.0.0-cp313-abi3-manylinux_2_34_aarch64.whl", False, True),
        ("x-1-cp314-abi3-manylinux_2_34_aarch64.whl", False, False),
        ("x-1-cp313-cp313-manylinux_2_35_aarch64.whl", False, False),
        ("x-1-cp313-cp313t-manylinux_2_17_aarch64.whl", False, False),
        ("x-1-cp313-cp313-musllinux_1_2_aarch64.whl", False, False),
        ("x-1-cp313-cp313-macosx_11_0_arm64.whl", False, False),
        ("x-1-cp313-cp313-linux_aarch64.whl", False, True),
        ("no wheel at all", False, False),
    ],
)
def test_a_wheel_fits_by_its_tags(wheel: str, on_old: bool, on_new: bool) -> None:
    assert (fits(wheel, OLD), fits(wheel, NEW)) == (on_old, on_new)


def test_of_several_the_one_for_the_newest_glibc_that_there_is_wins() -> None:
    wheels = [
        "x-1-py3-none-any.whl",
        "x-1-cp311-cp311-manylinux_2_17_x86_64.whl",
        "x-1-cp311-cp311-manylinux_2_24_x86_64.whl",
        "x-1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "x-1-cp311-abi3-manylinux_2_24_x86_64.whl",
    ]

    assert best(wheels, OLD) == "x-1-cp311-cp311-manylinux_2_24_x86_64.whl"
    assert best(wheels[3:4], OLD) is None
