"""Packaging: time and size of the archive, zipped and unzipped, caches warm, x86_64, Python 3.12.

    python benchmarks/package.py [--rounds N] [--quick]

A round packages each row once, three of bareboat's three times: from the caches alone (.bareboat or .serverless taken
away). The archives of the handler project must answer: each is unpacked and invoked once under awslambdaric.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import artifacts
import harness
import peers
import seed
from cold_start import UNZIPPED_BY_PEER
from runtime_api import Worker

MODEL, HANDLER = "bareboat package, model:", "bareboat package, handler:"
UNCHANGED, FIRST = "the same, nothing changed", "the same, bareboat's own cache empty"
PEER = "osls package, zip: false"
COLUMNS = ["s, median (min-max)", "zip MB", "unzipped MB", "files", "answers right", "n"]


@dataclass
class Made:
    """What one row made: seconds of each run, the archive or folder of the last."""

    seconds: list[float] = field(default_factory=list)
    archive: Path | None = None
    tree: Path | None = None


def bareboat(kind: str, *, fresh: bool, cache: Path | None = None) -> Callable[[], tuple[float, Path]]:
    """Package the project of this kind, after taking .bareboat (and `cache`) away when `fresh`."""
    place = artifacts.project(kind, name=f"bareboat-package-{kind}{'-first' if cache else ''}")

    def make() -> tuple[float, Path]:
        if fresh:
            shutil.rmtree(place / ".bareboat", ignore_errors=True)
            if cache:
                shutil.rmtree(cache, ignore_errors=True)
        started = time.perf_counter()
        archive = artifacts.package(place, cache=cache)
        return time.perf_counter() - started, archive

    return make


def osls(mode: str) -> Callable[[], tuple[float, Path]]:
    """Package the seed project with osls; the plugin's cache is its own and warm after the first run."""
    place = seed.osls_project("osls-" + mode.replace(": ", "-"), seed.OSLS_MODES[mode])

    def make() -> tuple[float, Path]:
        archive, seconds = seed.osls_package(place)
        return seconds, archive

    return make


def sam() -> Callable[[], tuple[float, Path]]:
    """`sam build` of the same project: it makes a folder, not an archive."""
    python = peers.install_venv("sam")
    files = {"template.yaml": seed.SAM_TEMPLATE}
    place = seed.write_project(peers.folder() / "projects" / "sam", files, model=False)
    sources = {"handler.py": seed.HANDLER, "requirements.txt": seed.requirements()}
    seed.write_project(place / "src", sources)
    env = harness.environment(
        PATH=f"{python.parent}:{peers.install_venv('lightgbm').parent}:/usr/local/bin:/usr/bin:/bin",
        SAM_CLI_TELEMETRY="0", AWS_DEFAULT_REGION="us-east-1",
    )  # fmt: skip

    def make() -> tuple[float, Path]:
        shutil.rmtree(place / ".aws-sam", ignore_errors=True)
        started = time.perf_counter()
        command = [str(python.parent / "sam"), "build"]
        done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=300, check=False)
        seconds = time.perf_counter() - started
        if done.returncode:
            raise harness.RowError(f"sam build: exit {done.returncode}: {done.stderr[-300:]}")
        return seconds, place / ".aws-sam" / "build" / "Predict"

    return make


def check(name: str, made: Made, scratch: Path) -> str:
    """Invoke the archive once under awslambdaric and compare its answer.

    Raises:
        harness.RowError: it answers something else, or not at all.
    """
    assert made.tree
    handler = "bareboat.runtime.handler.handle" if name == MODEL else "handler.predict"
    for place in UNZIPPED_BY_PEER:
        shutil.rmtree(place, ignore_errors=True)
    with Worker(made.tree, handler, log=scratch / "worker.log") as worker:
        _, answer = worker.start(seed.event())
    if artifacts.body_of(answer) != seed.ANSWER:
        raise harness.RowError(f"the archive answers {answer.decode()[:200]}")
    return "yes"


def measure(rounds: int, report: harness.Report, scratch: Path, *, quick: bool) -> dict[str, Made]:
    """Package every row, `rounds` times; the first of bareboat's is not counted (it fills the download caches)."""
    makers: dict[str, Callable[[], Callable[[], tuple[float, Path]]]] = {
        MODEL: lambda: bareboat("model", fresh=True),
        HANDLER: lambda: bareboat("handler", fresh=True),
        UNCHANGED: lambda: bareboat("handler", fresh=False),
        FIRST: lambda: bareboat("handler", fresh=True, cache=scratch / "cache"),
        "sam build": sam,
    }
    for mode in ("zip: false",) if quick else seed.OSLS_MODES:
        makers[f"osls package, {mode}"] = lambda mode=mode: osls(mode)  # type: ignore[misc]
    ready: dict[str, Callable[[], tuple[float, Path]]] = {}
    made: dict[str, Made] = {}
    for name, prepare in makers.items():
        try:
            ready[name], made[name] = prepare(), Made()
            if name in {MODEL, HANDLER, UNCHANGED, "sam build"}:
                ready[name]()
            elif name.startswith("osls"):
                seed.osls_artifact(name.partition(", ")[2])  # fills the plugin's cache when it is cold
        except (harness.RowError, OSError, subprocess.SubprocessError) as error:
            report.fail(name, error)
    for turn in range(rounds):
        for name in harness.shuffled(list(ready), turn):
            for _ in range(3 if name in {MODEL, HANDLER, UNCHANGED} else 1):
                if name in report.failures:
                    continue
                try:
                    seconds, path = ready[name]()
                    made[name].seconds.append(seconds)
                    made[name].archive = path
                except (harness.RowError, OSError, subprocess.SubprocessError) as error:
                    report.fail(name, error)
    return {name: one for name, one in made.items() if name not in report.failures}


def main() -> int:
    given = harness.arguments("Packaging: time and size.", rounds=1, quick=1)
    versions = artifacts.versions("osls", "serverless-python-requirements", "aws-sam-cli", "lightgbm", "uv")
    report = harness.Report("package", "Packaging: time and size", COLUMNS, versions, given.rounds)
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        scratch = Path(folder)
        for number, (name, made) in enumerate(measure(given.rounds, report, scratch, quick=given.quick).items()):
            assert made.archive
            zipped = made.archive.is_file()
            made.tree = harness.unzip(made.archive, scratch / str(number)) if zipped else made.archive
            try:
                right = check(name, made, scratch)
            except harness.RowError as error:
                report.fail(name, error)
                continue
            size, files = harness.tree_size(made.tree)
            sizes[name] = made.archive.stat().st_size if zipped else 0
            shown = f"{sizes[name] / 1e6:.3f}" if zipped else "(no archive)"
            cells = [harness.spread(made.seconds, 2), shown, f"{size / 1e6:.3f}", files, right, len(made.seconds)]
            report.rows[name] = dict(zip(COLUMNS, cells, strict=True))
            if zipped:
                shutil.rmtree(made.tree)
    for place in UNZIPPED_BY_PEER:
        shutil.rmtree(place, ignore_errors=True)
    model, handler, peer = sizes.get(MODEL), sizes.get(HANDLER), sizes.get(PEER)
    shown = f"{model / 1000:.1f} KB" if model else ""
    report.target("iris as `model:`, zipped", "under 150 KB", model, None if model is None else model < 150_000, shown)
    met = handler <= peer if handler and peer else None
    limit = f"no larger than {PEER} of this run" + (f", {peer / 1e6:.1f} MB" if peer else "")
    report.target("iris as `handler:`, zipped", limit, handler, met, f"{handler / 1e6:.1f} MB" if handler else "")
    report.notes += [
        "MB is 10^6 bytes, KB 10^3. Downloads are cached in every row, and the plugin's cache of osls is warm.",
        "Each archive (SAM: folder) was invoked once under awslambdaric and answered right to the digit.",
        "zip: true unpacks a further 219 MB into /tmp at each cold start.",
        "Only bareboat's archive holds libgomp.so.1: the others ran here on this machine's.",
    ]
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
