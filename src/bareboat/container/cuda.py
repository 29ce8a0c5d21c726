"""What NVIDIA and the frameworks have published: which driver a CUDA release needs, and what old frameworks load."""

from __future__ import annotations

import re

Version = tuple[int, ...]

# CUDA -> the least driver of a Linux host. From 11 on a whole major release runs on the driver of its first.
# Source: NVIDIA, "CUDA Compatibility", "Minor Version Compatibility", tables 1 and 2 (docs.nvidia.com/deploy/
# cuda-compatibility/minor-version-compatibility.html); before CUDA 10: "CUDA Toolkit Release Notes", the table of
# toolkits and their drivers.
_DRIVERS: tuple[tuple[Version, str], ...] = (
    ((13,), "580"),
    ((12,), "525"),
    ((11,), "450"),
    ((10, 2), "440.33"),
    ((10, 1), "418.39"),
    ((10, 0), "410.48"),
    ((9, 2), "396.26"),
    ((9, 1), "390.46"),
    ((9, 0), "384.81"),
    ((8, 0), "375.26"),
)
DRIVER_SOURCE = "https://docs.nvidia.com/deploy/cuda-compatibility/"

# TensorFlow opens CUDA's libraries by name when it runs, so that its ELF headers do not tell.
# Source: tensorflow.org/install/source, "Tested build configurations", GPU, Linux: first version -> CUDA, cuDNN.
_TENSORFLOW: tuple[tuple[Version, Version, Version], ...] = (
    ((2, 18), (12, 5), (9, 3)),
    ((2, 16), (12, 3), (8, 9)),
    ((2, 15), (12, 2), (8, 9)),
    ((2, 14), (11, 8), (8, 7)),
    ((2, 12), (11, 8), (8, 6)),
    ((2, 5), (11, 2), (8, 1)),
    ((2, 4), (11, 0), (8, 0)),
    ((2, 1), (10, 1), (7, 6)),
    ((1, 13), (10, 0), (7, 4)),
    ((1, 5), (9, 0), (7,)),
)

# Libraries that the host's driver brings: the NVIDIA container runtime mounts them.
DRIVER_LIBRARIES = frozenset(
    [
        "libcuda.so.1",
        "libnvidia-ml.so.1",
        "libnvidia-ptxjitcompiler.so.1",
        "libnvidia-nvvm.so.4",
        "libnvidia-opencl.so.1",
        "libnvidia-encode.so.1",
        "libnvidia-opticalflow.so.1",
        "libnvcuvid.so.1",
        "libnvoptix.so.1",
        "libcudadebugger.so.1",
    ]
)


def numbers(text: str) -> Version:
    """Return the numbers that a version begins with: "12.6.77" is (12, 6, 77)."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, match[0].split("."))) if match is not None else ()


def dotted(version: Version) -> str:
    """Return a version as text."""
    return ".".join(map(str, version))


def least_driver(cuda: Version) -> str:
    """Return the least driver version of a Linux host for a CUDA release; "" when it is not known."""
    for release, driver in _DRIVERS:
        if cuda[: len(release)] == release:
            return driver
    return ""


def tensorflow_needs(version: Version) -> tuple[Version, Version] | None:
    """Return the CUDA and the cuDNN that a TensorFlow loads; None before 1.5."""
    for first, cuda, cudnn in _TENSORFLOW:
        if version >= first:
            return cuda, cudnn
    return None
