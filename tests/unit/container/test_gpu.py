"""What wheels' own metadata says of CUDA and cuDNN, compared before anything is built.

The versions and requirements are those of the real wheels on PyPI and download.pytorch.org.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.container.base import Base
from bareboat.container.cuda import least_driver
from bareboat.container.documents import linux_platform
from bareboat.container.gpu import GpuReport, check_gpu, check_linked
from bareboat.container.layout import Layout
from bareboat.packaging.elf import Elf
from bareboat.packaging.pins import Pin

TORCH = {  # torch 2.8.0 requires these; download.pytorch.org has the build +cu126
    "torch": "2.8.0+cu126",
    "nvidia-cuda-runtime-cu12": "12.6.77",
    "nvidia-cudnn-cu12": "9.10.2.21",
    "nvidia-cublas-cu12": "12.6.4.1",
}


def base(**env: str) -> Base:
    config = {"config": {"Env": [f"{name}={value}" for name, value in env.items()]}}
    return Base("the-base", Layout(Path("unused")), linux_platform("amd64"), None, None, config)


def report(packages: dict[str, str], *, libraries: tuple[str, ...] = (), wanted: bool = False, driver: str = "",
           **env: str) -> GpuReport:  # fmt: skip
    pins = [Pin(name, version, "wheel", "", "", "") for name, version in packages.items()]
    return check_gpu(pins, base(**env), libraries, wanted=wanted, host_driver=driver)


def problems(found: GpuReport) -> str:
    return "\n".join(map(str, found.problems))


def test_packages_that_bring_all_they_need_agree_and_the_driver_is_stated() -> None:
    found = report(TORCH, wanted=True)

    assert not found.problems
    assert found.cuda == (12, 6)
    assert found.driver == "525"
    assert "NVIDIA driver 525 or later" in found.statement


def test_packages_without_a_gpu_are_none_of_its_business() -> None:
    assert not report({"numpy": "2.3.0", "scikit-learn": "1.7.0"}).uses_gpu


def test_builds_for_two_cuda_releases_are_named() -> None:
    found = report({**TORCH, "cupy-cuda11x": "13.6.0"})

    assert "cupy-cuda11x 13.6.0 for CUDA 11" in problems(found)
    assert "torch 2.8.0+cu126" in problems(found)


def test_a_package_that_finds_no_cuda_library_is_named_with_what_is_there() -> None:
    found = report({"cupy-cuda12x": "13.6.0"}, CUDA_VERSION="11.8.0")

    assert "cupy-cuda12x 13.6.0 needs CUDA 12 (its name), and what is there is CUDA 11" in problems(found)


def test_the_bases_libraries_serve_a_package() -> None:
    found = report({"cupy-cuda12x": "13.6.0"}, libraries=("libcudart.so.12", "libcudart.so.12.4.127"))

    assert not found.problems
    assert found.cuda == (12, 4)


def test_tensorflow_of_2019_needs_cuda_10() -> None:
    # StyleGAN2's; CUDA 10.0 and cuDNN 7.4 by TensorFlow's table of tested builds
    fits = report({"tensorflow-gpu": "1.15.0"}, wanted=True, CUDA_VERSION="10.0.130", NV_CUDNN_VERSION="7.6.5.32-1")
    lacks = report({"tensorflow-gpu": "1.15.0"}, wanted=True, CUDA_VERSION="11.8.0", NV_CUDNN_VERSION="8.9.6.50-1")

    assert not fits.problems
    assert fits.driver == "410.48"
    assert "needs CUDA 10.0" in problems(lacks)
    assert "needs cuDNN 7.4" in problems(lacks)


def test_tensorflow_from_2_14_on_is_told_the_extra_that_brings_cuda() -> None:
    (cuda, cudnn) = report({"tensorflow": "2.15.0"}, wanted=True).problems

    assert "tensorflow 2.15.0 needs CUDA 12.2" in cuda.found
    assert "needs cuDNN 8.9" in cudnn.found
    assert cuda.fix == cudnn.fix == "tensorflow[and-cuda]==2.15.0 in the requirements"
    assert not report({"tensorflow": "2.15.0"}).facts


def test_what_no_wheel_has_is_the_bases_to_bring() -> None:
    cuda, cudnn = report({"tensorflow-gpu": "1.15.0"}, wanted=True).problems

    assert cuda.fix.startswith("a base of CUDA 10")
    assert cudnn.fix.startswith("a base with cuDNN 7")


def test_cudnn_8_cannot_stand_in_for_9() -> None:
    packages = {"tensorflow": "2.18.0", "nvidia-cuda-runtime-cu12": "12.5.82", "nvidia-cudnn-cu12": "8.9.7.29"}

    found = report(packages, wanted=True)

    assert "tensorflow 2.18.0 has or needs cuDNN 9" in problems(found)


@pytest.mark.parametrize("version", ["2.8.0+cpu", "2.8.0"])
def test_a_build_for_cpus_is_refused_where_a_gpu_is_wanted(version: str) -> None:
    assert "is a build for CPUs" in problems(report({"torch": version}, wanted=True))
    assert not report({"torch": version}).problems


def test_a_gpu_without_any_framework_is_told() -> None:
    assert "no package uses one" in problems(report({"numpy": "2.3.0"}, wanted=True))


def test_an_old_driver_of_the_host_is_told() -> None:
    found = report(TORCH, wanted=True, driver="470.223.02")

    assert "the host's driver is 470.223.02" in problems(found)
    assert not report(TORCH, wanted=True, driver="535.104.05").problems


def test_a_base_that_brings_cuda_once_more_is_noted() -> None:
    found = report(TORCH, CUDA_VERSION="11.8.0")

    assert not found.problems
    assert "the-base has CUDA 11.8" in found.notes[0]


@pytest.mark.parametrize(
    ("cuda", "driver"),  # NVIDIA, CUDA Compatibility, minor version compatibility, tables 1 and 2
    [((13, 0), "580"), ((12, 9), "525"), ((11, 8), "450"), ((10, 2), "440.33"), ((10, 0), "410.48"), ((14,), "")],
)
def test_the_least_driver_of_a_cuda_release(cuda: tuple[int, ...], driver: str) -> None:
    assert least_driver(cuda) == driver


def test_libraries_that_files_are_linked_to_are_looked_for() -> None:
    # onnxruntime-gpu 1.23: its provider's DT_NEEDED
    needed = ("libcublasLt.so.12", "libcudart.so.12", "libcudnn.so.9", "libc.so.6")
    elves = {"site/onnxruntime/capi/libonnxruntime_providers_cuda.so": Elf("x86_64", needed)}

    found = check_linked(elves, ["libc.so.6", "libcudart.so.11.0", "libcublasLt.so.12"], "/site")

    assert [problem.found.split(" is missing")[0] for problem in found] == ["libcudart.so.12", "libcudnn.so.9"]
    assert "onnxruntime is linked to it, and what is there is libcudart.so.11.0" in found[0].found
    assert "nvidia-cuda-runtime-cu12" in found[0].fix
