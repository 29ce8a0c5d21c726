"""Packages and a base -> whether framework, CUDA and cuDNN agree, and the driver that the host must have.

What a package needs is read from its own metadata: the name (`cupy-cuda12x`), the local version (`2.8.0+cu126`), what
it requires (`nvidia-cudnn-cu12==9.10.2.21`), and, once it is installed, the libraries that its files are linked to.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bareboat.container.base import Base
from bareboat.container.cuda import DRIVER_SOURCE, Version, dotted, least_driver, numbers, tensorflow_needs
from bareboat.errors import PackagingError, Problem
from bareboat.packaging.elf import Elf
from bareboat.packaging.pins import Pin
from bareboat.packaging.requirements import canonical

_BY_NAME = re.compile(r"(?:^|-)cu(?:da)?(\d{2,3})x?(?=-|$)")
_BY_LOCAL_VERSION = re.compile(r"\+(?:.*[^a-z])?cu(\d{2,3})(?!\d)")
_LIBRARY = re.compile(r"lib(cudart|cublas|cublasLt|cudnn|cufft|curand|cusolver|cusparse|nvrtc|nccl)\.so\.(\d+)$")
_BASE_LIBRARY = re.compile(r"lib(cudart|cudnn)\.so\.(\d+(?:\.\d+)*)$")
# Their wheels bring CUDA's libraries or require the wheels that do.
_COMPLETE = frozenset({"torch", "torchvision", "torchaudio", "torchtext", "triton", "pytorch-triton"})
_TENSORFLOW = frozenset({"tensorflow", "tensorflow-gpu", "tensorflow-intel"})
_WITHOUT_GPU = frozenset({"tensorflow-cpu", "faiss-cpu", "onnxruntime"})
# Where each framework has its builds for a CUDA.
_INDEX = "https://download.pytorch.org/whl/cu{}"


@dataclass(frozen=True, slots=True)
class Fact:
    """One part of the agreement.

    Args:
        part: "CUDA" or "cuDNN".
        version: as far as it is known; the major version at least.
        who: the package or the base.
        brings: whether it has the libraries; else it needs them.
        why: where that was read.
    """

    part: str
    version: Version
    who: str
    brings: bool
    why: str


@dataclass(frozen=True, slots=True)
class GpuReport:
    """What an image's GPU parts are.

    Args:
        cuda: the newest CUDA among them, () when there is none.
        driver: the least driver of the host, "" when it is not known.
        problems: what would fail on a GPU.
    """

    facts: tuple[Fact, ...] = ()
    cuda: Version = ()
    driver: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def uses_gpu(self) -> bool:
        """Whether anything is for a GPU."""
        return bool(self.facts)

    @property
    def statement(self) -> str:
        """Say what the host must have."""
        if not self.cuda:
            return ""
        if not self.driver:
            return f"CUDA {dotted(self.cuda)}: the driver that the host must have is in {DRIVER_SOURCE}"
        return f"CUDA {dotted(self.cuda)}: the host must have NVIDIA driver {self.driver} or later ({DRIVER_SOURCE})"


def check_gpu(
    pins: Iterable[Pin], base: Base, libraries: Iterable[str], *, wanted: bool = False, host_driver: str = ""
) -> GpuReport:
    """Compare what is known before anything is downloaded: names, versions and requirements of packages, and the base.

    Args:
        libraries: names of the native libraries that the base's loader finds.
        wanted: whether the project says that it runs on a GPU.
        host_driver: the driver of the machine that it will run on, "" when it is not known.
    """
    versions = {canonical(pin.name): pin.version for pin in pins}
    facts = [*_of_packages(versions, wanted=wanted), *_of_base(base, libraries)]
    ours = [fact for fact in facts if fact.who != base.name]
    if not ours and not wanted:
        return GpuReport()
    brought = {(fact.part, fact.version[0]) for fact in facts if fact.brings}
    several = _several_majors(ours)
    problems = [*_cpu_builds(versions, ours, brought), *(several or _lacking(ours, brought, base))]
    if wanted and not ours and not problems and (versions or not facts):
        found = "gpu is set, and no package uses one" if versions else f"gpu is set, and {base.name} has no CUDA"
        problems.append(Problem(found, expected="torch, tensorflow, jax, cupy or alike, or CUDA in the base",
                                fix="take gpu out, or name the framework in requirements"))  # fmt: skip
    newest = max((fact.version for fact in facts if fact.part == "CUDA" and (ours or wanted)), default=())
    driver = least_driver(newest)
    if driver and host_driver and numbers(host_driver) < numbers(driver):
        problems.append(
            Problem(
                f"the host's driver is {host_driver}, and CUDA {dotted(newest)} is in the image",
                expected=f"driver {driver} or later",
                fix=f"a newer driver on the host, or packages for an older CUDA ({_INDEX.format(118)})",
            )
        )
    return GpuReport(tuple(facts), newest, driver, tuple(problems), tuple(_notes(facts, base)))


def check_linked(elves: Mapping[str, Elf], libraries: Iterable[str], site: str) -> tuple[Problem, ...]:
    """Compare the libraries that installed files are linked to with what packages and base bring.

    Args:
        elves: path in the image -> headers of packages' native files.
        libraries: names of the base's.
        site: the packages' folder.
    """
    there = {*libraries, *map(posixpath.basename, elves), *(elf.soname for elf in elves.values())}
    wanted: dict[str, set[str]] = {}
    for path, elf in elves.items():
        for library in elf.needed:
            if library not in there and _LIBRARY.match(library):
                wanted.setdefault(library, set()).add(path.removeprefix(site.strip("/") + "/").split("/")[0])
    problems = []
    for library, packages in sorted(wanted.items()):
        match = _LIBRARY.match(library)
        assert match is not None
        stem, major = match[1], match[2]
        others = sorted(name for name in there if name.startswith(f"lib{stem}.so."))
        problems.append(
            Problem(
                f"{library} is missing; {', '.join(sorted(packages))} is linked to it"
                + (f", and what is there is {', '.join(others)}" if others else ""),
                expected=f"{stem} {major} in the base or among the packages",
                fix=_bring(stem, major),
            )
        )
    return tuple(problems)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise for what would fail on a GPU.

    Raises:
        PackagingError: with every problem.
    """
    if problems:
        raise PackagingError(problems[0].found, problems=tuple(problems))


def _of_packages(versions: Mapping[str, str], *, wanted: bool) -> list[Fact]:
    facts: list[Fact] = []
    for name, version in sorted(versions.items()):
        who = f"{name} {version}"
        if name.startswith("nvidia-"):
            facts += _of_nvidia(name, version, who)
            continue
        if name in _TENSORFLOW and (needs := tensorflow_needs(numbers(version))) is not None:
            brings = any(other.startswith("nvidia-cudnn") for other in versions)
            if brings or name == "tensorflow-gpu" or wanted:  # the same wheel answers on CPUs too
                why = "tensorflow.org/install/source"
                facts += [Fact("CUDA", needs[0], who, False, why), Fact("cuDNN", needs[1], who, False, why)]
            continue
        local = _BY_LOCAL_VERSION.search(version)
        named = _BY_NAME.search(name)
        if local is not None:
            facts.append(Fact("CUDA", _release(local[1]), who, name in _COMPLETE, f"its version, +cu{local[1]}"))
        elif named is not None:
            facts.append(Fact("CUDA", _release(named[1]), who, False, "its name"))
    return facts


def _of_nvidia(name: str, version: str, who: str) -> list[Fact]:
    """NVIDIA's wheels bring the libraries: `nvidia-cuda-runtime-cu12`, from CUDA 13 on without suffix."""
    suffix = re.search(r"-cu(\d+)$", name)
    stem = name.removeprefix("nvidia-").removesuffix(suffix[0] if suffix is not None else "")
    if stem == "cuda-runtime":
        return [Fact("CUDA", numbers(version)[:2], who, True, "its version")]
    if stem == "cudnn":
        found = [Fact("cuDNN", numbers(version)[:2], who, True, "its version")]
        return [*found, Fact("CUDA", (int(suffix[1]),), who, False, "its name")] if suffix is not None else found
    return []


def _of_base(base: Base, libraries: Iterable[str]) -> list[Fact]:
    facts = []
    env = base.env
    said = numbers(env.get("CUDA_VERSION", ""))
    if said:
        facts.append(Fact("CUDA", said[:2], base.name, True, f"its CUDA_VERSION={env['CUDA_VERSION']}"))
    found: dict[str, Version] = {}
    for library in libraries:
        match = _BASE_LIBRARY.match(library)
        if match is not None:
            part = "CUDA" if match[1] == "cudart" else "cuDNN"
            found[part] = max(found.get(part, ()), numbers(match[2])[:2])
    if "CUDA" in found and not said:
        facts.append(Fact("CUDA", found["CUDA"], base.name, True, "its libcudart.so"))
    cudnn = numbers(env.get("NV_CUDNN_VERSION", "")) or found.get("cuDNN", ())
    if cudnn:
        facts.append(Fact("cuDNN", cudnn[:2], base.name, True, "its libcudnn.so"))
    return facts


def _release(digits: str) -> Version:
    """`12` is CUDA 12, `126` 12.6, `92` 9.2."""
    if len(digits) == 3:
        return int(digits[:2]), int(digits[2])
    return (int(digits),) if int(digits) < 20 else (int(digits[0]), int(digits[1]))


def _several_majors(ours: Sequence[Fact]) -> list[Problem]:
    """Everything of one process must be of one CUDA."""
    by_major: dict[int, list[Fact]] = {}
    for fact in ours:
        if fact.part == "CUDA":
            by_major.setdefault(fact.version[0], []).append(fact)
    problems = []
    if len(by_major) > 1:
        said = "; ".join(
            f"{', '.join(sorted({fact.who for fact in facts}))} for CUDA {major}"
            for major, facts in sorted(by_major.items())
        )
        most = max(by_major, key=lambda major: (len(by_major[major]), major))
        problems.append(
            Problem(f"packages are for several CUDA releases: {said}", expected="one of them for all",
                    fix=f"take the build for CUDA {most} of each")
        )  # fmt: skip
    cudnn = {fact.version[0]: fact.who for fact in ours if fact.part == "cuDNN"}
    if len(cudnn) > 1:
        said = "; ".join(f"{who} has or needs cuDNN {major}" for major, who in sorted(cudnn.items()))
        problems.append(Problem(said, expected="one cuDNN major release; 8 and 9 cannot stand in for each other",
                                fix="releases of the frameworks that need the same cuDNN"))  # fmt: skip
    return problems


def _lacking(ours: Sequence[Fact], brought: set[tuple[str, int]], base: Base) -> list[Problem]:
    problems = []
    for fact in ours:
        major = fact.version[0]
        if fact.brings or (fact.part, major) in brought or fact.who.startswith("nvidia-"):
            continue
        there = sorted({f"{part} {number}" for part, number in brought if part == fact.part})
        problems.append(
            Problem(
                f"{fact.who} needs {fact.part} {dotted(fact.version)} ({fact.why}), and "
                + (f"what is there is {', '.join(there)}" if there else "neither base nor packages bring it"),
                expected=f"the libraries of {fact.part} {major} in {base.name} or among the packages",
                fix=_with_cuda(fact.who) or _bring("cudnn" if fact.part == "cuDNN" else "cudart", str(major)),
            )
        )
    return problems


def _cpu_builds(versions: Mapping[str, str], ours: Sequence[Fact], brought: set[tuple[str, int]]) -> list[Problem]:
    """A framework's build without CUDA beside packages that want one."""
    problems = []
    torch = versions.get("torch")
    has_cuda = any(part == "CUDA" for part, _ in brought)
    if torch is not None and (torch.endswith("+cpu") or (not has_cuda and "+cu" not in torch and not ours)):
        problems.append(
            Problem(
                f"torch {torch} is a build for CPUs",
                expected="a build for CUDA",
                fix=f"--extra-index-url {_INDEX.format(126)} in the requirements, and "
                f"torch=={torch.partition('+')[0]}+cu126",
            )
        )
    problems += [
        Problem(
            f"{name} {versions[name]} uses no GPU",
            expected="its build for GPUs",
            fix=f"{'onnxruntime-gpu' if name == 'onnxruntime' else name.removesuffix('-cpu')} in its place",
        )
        for name in sorted(_WITHOUT_GPU & versions.keys())
    ]
    return problems


def _notes(facts: Sequence[Fact], base: Base) -> list[str]:
    theirs = [fact for fact in facts if fact.who == base.name and fact.part == "CUDA"]
    ours = [fact for fact in facts if fact.who != base.name and fact.part == "CUDA" and fact.brings]
    if theirs and ours:
        text = (
            f"{base.name} has CUDA {dotted(theirs[0].version)}, and {ours[0].who} brings its own "
            f"{dotted(ours[0].version)}: a base without CUDA, such as python:3.13-slim, would do and is smaller"
        )
        return [text]
    return []


def _with_cuda(who: str) -> str:
    """Return the requirement that brings CUDA with a framework; "" where there is none."""
    name, _, version = who.partition(" ")
    return (
        f"tensorflow[and-cuda]=={version} in the requirements"
        if (name == "tensorflow" and numbers(version) >= (2, 14))
        else ""
    )


def _bring(stem: str, major: str) -> str:
    """Say who has libraries of a major release; NVIDIA's wheels begin with CUDA 11 and cuDNN 8."""
    if stem == "cudnn":
        base = f"a base with cuDNN {major} (nvidia/cuda:...-cudnn{major}-runtime-... or -cudnn-runtime-...)"
        wheel = {"8": "nvidia-cudnn-cu12==8.* (or -cu11)", "9": "nvidia-cudnn-cu12==9.* (or -cu13)"}.get(major)
        return f"{wheel} in the requirements, or {base}" if wheel else base
    base = f"a base of CUDA {major} (nvidia/cuda:{major}...-runtime-...)"
    if int(major) < 11 and stem in {"cudart", "cublas", "cublasLt"}:
        return base
    base = f"or {base}"
    if stem == "cudart":
        wheel = f"nvidia-cuda-runtime-cu{major}" if int(major) < 13 else f"nvidia-cuda-runtime=={major}.*"
        return f"{wheel} in the requirements, {base}"
    wheel = f"nvidia-{stem.removesuffix('Lt')}-..."
    return f"NVIDIA's wheel that has it ({wheel}) in the requirements, or a base that does"
