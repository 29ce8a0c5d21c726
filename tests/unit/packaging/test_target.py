from __future__ import annotations

from bareboat.packaging.target import Target, host_target


def test_the_image_of_the_declared_python_counts_when_another_one_stands_in_for_it():
    target = host_target("3.11", image="3.13")

    assert target.glibc == (2, 34)
    assert str(target).startswith("python3.11 in place of python3.13 on ")


def test_the_declared_python_itself_is_no_stand_in():
    assert host_target("3.13", image="3.13") == host_target("3.13")


def test_amazon_linux_2_ends_with_python_3_11():
    assert Target("3.11", "arm64").glibc == (2, 26)
    assert Target("3.12", "arm64").glibc == (2, 34)


def test_what_stands_in_for_another_cpu_takes_any_wheel_that_loads_here(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36"))

    assert host_target("3.11", architecture="arm64").glibc == (2, 34)
    assert host_target("3.11", architecture="x86_64") == Target("3.11", "x86_64")

    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.28"))
    assert host_target("3.11", architecture="arm64").glibc == (2, 28)
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert host_target("3.11", architecture="arm64").glibc == (2, 26)
