"""Packaging: time, memory and size of the archive, zipped and unzipped, caches warm, x86_64, Python 3.12.

    python benchmarks/package.py [--rounds N] [--quick]

A round packages each row once, those of bareboat three times: from the caches alone (.bareboat or .serverless taken
away). One more run of each, not timed, is watched for memory, children included, the same way for all. The archives of
the handler project must answer: each is unpacked and invoked once under awslambdaric.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
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

MODEL = "bareboat package, model:"
SAFE, NONE, MAX = (f"bareboat package, handler:, slim: {level}" for level in ("safe", "none", "max"))
PROVED = "slim: safe, and its proof anew"
PROVED_MAX = "slim: max, and its proof anew"
UNCHANGED, FIRST = "slim: safe, nothing changed", "slim: safe, bareboat's own cache empty"
LAYER = "bareboat package, handler:, packages in a layer"
PEER, SLIM_PEER = "osls package, zip: false", "osls package, slim: true"
COLUMNS = [
    "s, median (min-max)", "peak MB", "zip MB", "unzipped MB", "zip / unzipped MB without bytecode", "files",
    "answers right", "same bytes elsewhere", "n",
]  # fmt: skip


@dataclass
class Making:
    """How one row packages: what is taken away before, the command, and where its archive and layers then lie."""

    place: Path
    command: list[str]
    env: dict[str, str]
    find: Callable[[str], tuple[Path, ...]]
    before: tuple[Path, ...] = ()

    def run(self) -> tuple[float, tuple[Path, ...]]:
        """Package once; return the seconds, the archive and its layers."""
        self.clear()
        started = time.perf_counter()
        done = subprocess.run(
            self.command, cwd=self.place, env=self.env, capture_output=True, text=True, timeout=300, check=False
        )
        seconds = time.perf_counter() - started
        return seconds, self._found(done.returncode, done.stdout, done.stderr)

    def watch(self) -> int:
        """Package once more; return the most memory it took, in bytes."""
        self.clear()
        done = harness.watched(self.command, cwd=self.place, env=self.env)
        self._found(done.returncode, done.stdout, done.stderr)
        return done.peak_bytes

    def clear(self) -> None:
        """Take away what the last run left."""
        for folder in self.before:
            shutil.rmtree(folder, ignore_errors=True)

    def _found(self, returncode: int, stdout: str, stderr: str) -> tuple[Path, ...]:
        if returncode:
            raise harness.RowError(f"{self.command[-2:]}: exit {returncode}: {stderr[-400:]}")
        return self.find(stdout)


@dataclass
class Made:
    """What one row made: seconds of each run; of the last the archive or folder, its layers and digests; memory."""

    seconds: list[float] = field(default_factory=list)
    archives: tuple[Path, ...] = ()
    digests: tuple[str, ...] = ()
    peak_bytes: int = 0
    same: str = ""
    tree: Path | None = None


def bareboat(kind: str, slim: str = "", *, fresh: bool = True, cache: Path | None = None, gone: str = "") -> Making:
    """Package the project of this kind, after taking .bareboat away when `fresh`.

    Args:
        cache: bareboat's own cache, taken away before each run.
        gone: what of the user's cache is taken away before each run.
    """
    name = "-".join(filter(None, ["bareboat-package", kind, slim, gone, "first" if cache else ""]))
    place = artifacts.project(kind, name=name)
    before = [place / ".bareboat"] if fresh else []
    kept = peers.folder() / "bareboat-cache"  # of the benchmarks alone: proofs are taken out of it
    before += [cache] if cache else []
    before += [kept / gone] if gone else []
    return Making(
        place, artifacts.package_command(slim), artifacts.package_env(cache or kept),
        lambda said: artifacts.made_of(place, json.loads(said)), tuple(before),
    )  # fmt: skip


def osls(mode: str) -> Making:
    """Package the seed project with osls; the plugin's cache is its own and warm after the first run."""
    place = seed.osls_project("osls-" + mode.replace(": ", "-"), seed.OSLS_MODES[mode])

    def found(_: str) -> tuple[Path, ...]:
        archives = list((place / ".serverless").glob("*.zip"))
        if not archives:
            raise harness.RowError("osls made no archive")
        return (archives[0],)

    return Making(place, seed.osls_command(), seed.osls_env(), found, (place / ".serverless",))


def sam() -> Making:
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
    built = place / ".aws-sam" / "build" / "Predict"
    return Making(place, [str(python.parent / "sam"), "build"], env, lambda _: (built,), (place / ".aws-sam",))


def check(name: str, made: Made, scratch: Path) -> str:
    """Invoke the archive once under awslambdaric and compare its answer.

    Raises:
        harness.RowError: it answers something else, or not at all.
    """
    assert made.tree
    handler = "bareboat.runtime.handler.handle" if name == MODEL else "handler.predict"
    for place in UNZIPPED_BY_PEER:
        shutil.rmtree(place, ignore_errors=True)
    opt = harness.unzip(made.archives[1], scratch / "opt") if made.archives[1:] else None
    with Worker(made.tree, handler, log=scratch / "worker.log", opt=opt) as worker:
        _, answer = worker.start(seed.event())
    if artifacts.body_of(answer) != seed.ANSWER:
        raise harness.RowError(f"the archive answers {answer.decode()[:200]}")
    return "yes"


def elsewhere(name: str, made: Made, scratch: Path) -> str:
    """Say whether the same input gives the same bytes: bareboat in another folder with an empty cache; the peers
    against the archive of the day they were first installed.
    """
    if name.startswith("osls"):
        others: tuple[Path, ...] = (seed.osls_artifact(name.partition(", ")[2]),)
    elif name in {MODEL, SAFE, MAX, LAYER}:
        kind = {MODEL: "model", LAYER: "layers"}.get(name, "handler")
        place = artifacts.project(kind, name="another place")
        others = artifacts.packaged(place, slim="max" if name == MAX else "", cache=scratch / "another cache")
    else:
        return ""
    return "yes" if _digests(others) == made.digests else "no"


def _digests(archives: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in archives if path.is_file())


def measure(rounds: int, report: harness.Report, scratch: Path, *, quick: bool) -> dict[str, Made]:
    """Package every row, `rounds` times; the first of bareboat's is not counted (it fills the caches)."""
    makers: dict[str, Callable[[], Making]] = {
        MODEL: lambda: bareboat("model"),
        SAFE: lambda: bareboat("handler"),
        PROVED: lambda: bareboat("handler", gone="proofs"),
        UNCHANGED: lambda: bareboat("handler", "safe", fresh=False),
        FIRST: lambda: bareboat("handler", cache=scratch / "cache"),
        NONE: lambda: bareboat("handler", "none"),
        MAX: lambda: bareboat("handler", "max"),
        PROVED_MAX: lambda: bareboat("handler", "max", gone="proofs"),
        LAYER: lambda: bareboat("layers"),
        "sam build": sam,
    }
    for mode in ("zip: false", "slim: true") if quick else seed.OSLS_MODES:
        makers[f"osls package, {mode}"] = lambda mode=mode: osls(mode)  # type: ignore[misc]
    ready: dict[str, Making] = {}
    made: dict[str, Made] = {}
    for name, prepare in makers.items():
        try:
            ready[name], made[name] = prepare(), Made()
            if name.startswith("osls"):
                seed.osls_artifact(name.partition(", ")[2])  # fills the plugin's cache when it is cold
            elif name != FIRST:
                ready[name].run()
        except (harness.RowError, OSError, subprocess.SubprocessError) as error:
            report.fail(name, error)
    for turn in range(rounds):
        for name in harness.shuffled(list(ready), turn):
            for _ in range(1 if name.startswith(("osls", "sam")) or name == FIRST else 3):
                if name in report.failures:
                    continue
                try:
                    seconds, made[name].archives = ready[name].run()
                    made[name].seconds.append(seconds)
                    made[name].digests = _digests(made[name].archives)
                except (harness.RowError, OSError, subprocess.SubprocessError) as error:
                    report.fail(name, error)
    for name, making in ready.items():
        try:
            if name not in report.failures:
                made[name].peak_bytes = making.watch()
                made[name].same = elsewhere(name, made[name], scratch)
        except (harness.RowError, OSError, subprocess.SubprocessError) as error:
            report.fail(name, error)
    return {name: one for name, one in made.items() if name not in report.failures}


def cells(made: Made, right: str) -> list[object]:
    """Write one row of the report."""
    assert made.tree
    size, files = harness.tree_size(made.tree)
    zips = [path for path in made.archives if path.is_file()]
    bare = [harness.without_bytecode(path) for path in zips]
    for layer in made.archives[1:]:
        more_size, more_files = harness.zip_size(layer)
        size, files = size + more_size, files + more_files
    zipped = f"{sum(path.stat().st_size for path in zips) / 1e6:.3f}" if zips else "(no archive)"
    without = f"{sum(a for a, _ in bare) / 1e6:.2f} / {sum(b for _, b in bare) / 1e6:.2f}" if bare else ""
    return [
        harness.spread(made.seconds, 2), f"{made.peak_bytes / 1e6:.0f}", zipped, f"{size / 1e6:.3f}", without, files,
        right, made.same, len(made.seconds),
    ]  # fmt: skip


def judge(report: harness.Report, made: dict[str, Made]) -> None:
    """Hold the figures against what the issue asks for."""

    def row(name: str) -> tuple[float, float] | None:
        if name not in report.rows:
            return None
        zipped, unzipped = report.rows[name]["zip MB"], report.rows[name]["unzipped MB"]
        return float(zipped), float(unzipped)

    def seconds(name: str) -> float | None:
        return statistics.median(made[name].seconds) if name in report.rows else None

    def below(what: str, limit: float, value: float | None, unit: str) -> None:
        shown = f"{value:.4g} {unit}" if value is not None else ""
        report.target(what, f"at most {limit:g} {unit}", value, None if value is None else value <= limit, shown)

    model, safe, most, slim = row(MODEL), row(SAFE), row(MAX), row(SLIM_PEER)
    below("iris as `model:`, zipped", 0.15, model[0] if model else None, "MB")
    below("`package` of the handler, slim: safe, from warm caches", 3, seconds(SAFE), "s")
    below("the same with its first proof", 3, seconds(PROVED), "s")
    below("the same, nothing changed", 0.5, seconds(UNCHANGED), "s")
    for index, what in enumerate(("zipped", "unzipped")):
        ratio = safe[index] / slim[index] if safe and slim else None
        below(f"slim: safe, {what}, valid bytecode included, over {SLIM_PEER}", 1.06, ratio, "x")
    for index, what in enumerate(("zipped", "unzipped")):
        bare = harness.without_bytecode(made[SAFE].archives[0])[index] / 1e6 if safe else None
        below(f"slim: safe without its bytecode, {what}", slim[index] if slim else 0, bare if slim else None, "MB")
    below("slim: max, zipped", 25, most[0] if most else None, "MB")
    below("slim: max, unzipped", 80, most[1] if most else None, "MB")
    for name in (SAFE, PROVED, FIRST, PROVED_MAX):
        peak = made[name].peak_bytes / 1e6 if name in report.rows else None
        below(f"peak memory, children included: {name}", 200, peak, "MB")
    same = [made[name].same for name in (MODEL, SAFE, MAX, LAYER) if name in report.rows]
    report.target("the same input in another place", "the same bytes", None, all(each == "yes" for each in same), "")


def main() -> int:
    given = harness.arguments("Packaging: time, memory and size.", rounds=1, quick=1)
    versions = artifacts.versions("osls", "serverless-python-requirements", "aws-sam-cli", "lightgbm", "uv")
    report = harness.Report("package", "Packaging: time, memory and size", COLUMNS, versions, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        scratch = Path(folder)
        rows = measure(given.rounds, report, scratch, quick=given.quick)
        for number, (name, made) in enumerate(rows.items()):
            archive = made.archives[0]
            made.tree = harness.unzip(archive, scratch / str(number)) if archive.is_file() else archive
            try:
                right = check(name, made, scratch)
            except harness.RowError as error:
                report.fail(name, error)
                continue
            report.rows[name] = dict(zip(COLUMNS, cells(made, right), strict=True))
            if archive.is_file():
                shutil.rmtree(made.tree)
        judge(report, rows)
    for place in UNZIPPED_BY_PEER:
        shutil.rmtree(place, ignore_errors=True)
    report.notes += [
        "MB is 10^6 bytes. Downloads are cached in every row, and the plugin's cache of osls is warm.",
        "Peak: the sum of PSS over the command and its children, looked at 50 times a second in a run of its own.",
        "Each archive (SAM: folder) was invoked once under awslambdaric and answered right to the digit.",
        "Elsewhere: bareboat again in another folder with an empty cache; the peers against an earlier day's archive.",
        "The row with a layer counts function and layer together.",
        "zip: true unpacks a further 219 MB into /tmp at each cold start.",
        "Only bareboat's archive holds libgomp.so.1: the others ran here on this machine's.",
    ]
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
