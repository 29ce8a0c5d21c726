"""Altered model files through every reader: a forest or a ModelError, never another exception, a hang or much memory.

    python models.py CORPUS FOUND SECONDS SEED

Runs in a process of its own, whose memory and time are bounded. A file whose error has not been seen before is altered
further. What is wrong is written to the folder FOUND, and told on stderr with exit code 1.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[3] / "contract/forest"))

import samples
from mutate import mutate, mutate_in_place

from bareboat.errors import InputError, ModelError
from bareboat.forest import forest_bytes, read_ensemble, reference
from bareboat.forest.digest import digest
from bareboat.forest.estimator import Forest
from bareboat.forest.ir import Ensemble
from bareboat.runtime.forest import OpenForest, load_forest

MEMORY_BYTES = 1 << 30
"""How much more than after all imports. The corpus' files are of some KB."""
TIME_S = 10.0
MOST_BYTES = 50_000
HAS_ONNX = importlib.util.find_spec("onnx") is not None


class TooSlow(BaseException):
    """A file took more than TIME_S."""


def main() -> int:
    corpus, found, seconds, seed = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    paths = [*sorted(corpus.glob("forests/*")), *sorted(corpus.glob("models/*"))]
    files = {path: path.read_bytes() for path in paths if path.suffix != ".onnx" or HAS_ONNX}
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for path, data in files.items():
            assert judge(data, work / path.name) == "sound", path  # also imports all that there is to import
        bound_memory()
        return fuzz(files, work, found, seconds, random.Random(seed))


def fuzz(files: dict[Path, bytes], work: Path, found: Path, seconds: float, rng: random.Random) -> int:
    sound = {path: [data] for path, data in files.items()}
    refused: dict[Path, list[bytes]] = {path: [] for path in files}
    kinds = sorted({path.suffix for path in files})
    others = list(files.values())
    seen: dict[tuple[str, str], int] = {}
    wrong: set[str] = set()
    until, n_files = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        kind = rng.choice(kinds)
        path = rng.choice([path for path in files if path.suffix == kind])
        before = rng.choice(refused[path] if refused[path] and rng.random() < 0.2 else sound[path])
        data = mutate(before, others, rng)[:MOST_BYTES] if kind != ".forest" else repaired(mutate_in_place(before, rng))
        n_files += 1
        try:
            said = judge(data, work / path.name)
        except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever it is
            said = place_of(error)
            if said not in wrong:
                found.mkdir(parents=True, exist_ok=True)
                kept = found / f"{len(wrong)}-{path.name}"
                kept.write_bytes(data)
                print(f"\n--- {kept}", file=sys.stderr)
                traceback.print_exc()
            wrong.add(said)
        key = (path.name, said)
        seen[key] = seen.get(key, 0) + 1
        if said == "sound" and len(data) < 2 * len(files[path]):
            sound[path] = [files[path], *sound[path][-20:], data]
        elif seen[key] == 1:
            refused[path].append(data)
    n_sound = sum(n for (_, said), n in seen.items() if said == "sound")
    print(f"{n_files} files, {len({said for _, said in seen})} kinds of answers, {n_sound} sound")
    return 1 if wrong else 0


def place_of(error: BaseException) -> str:
    """Return what went wrong and in which line of bareboat, so that each fault is told once."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/bareboat/" in frame.filename]
    return f"{type(error).__name__} {frames[-1].filename}:{frames[-1].lineno}" if frames else repr(error)


def judge(data: bytes, path: Path) -> str:
    """Return "sound", or what is wrong, without the numbers in it; raises when that is no ModelError."""
    path.write_bytes(data)
    faulthandler.dump_traceback_later(6 * TIME_S, exit=True)
    signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, TIME_S)
    try:
        return judge_forest(path) if path.suffix == ".forest" else judge_model(path)
    except ModelError as error:
        return re.sub(r"'[^']*'|\"[^\"]*\"|[-\d.]+|(?<= at ).*", "?", error.problems[0].found)[:80]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def judge_model(path: Path) -> str:
    """A model that is read must be scored as the reference scores it."""
    ensemble = read_ensemble(path)
    rows = samples.hard_rows(ensemble, 1, 5)
    forest = Forest.from_ensemble(ensemble)
    scores = forest._opened.kernel.raw_scores(rows)
    for one, expected in zip(scores, reference.raw_scores(ensemble, rows), strict=True):
        assert samples.same_bits(one, expected), (one, expected)
    ask(forest, rows)
    return "sound"


def judge_forest(path: Path) -> str:
    """What the kernel takes and Python takes apart must be the same forest."""
    opened = load_forest(str(path))
    forest = Forest.load(path)
    ensemble: Ensemble = forest.ensemble
    rows = samples.hard_rows(ensemble, 1, 5)
    check_scores(opened, ensemble, rows)
    ask(forest, rows)
    forest_bytes(ensemble)
    return "sound"


def check_scores(opened: OpenForest, ensemble: Ensemble, rows: list[list[float]]) -> None:
    for row, expected in zip(rows, reference.raw_scores(ensemble, rows), strict=True):
        assert samples.same_bits(opened.raw_score(row), expected)


def ask(forest: Forest, rows: list[list[float]]) -> None:
    """Call all that a forest has; it may refuse, but not fail."""
    forest.predict(rows)
    forest.apply(rows)
    names = [name for name in ("predict_proba", "decision_function") if hasattr(forest, name)]
    questions: list[Any] = [lambda name=name: getattr(forest, name)(rows) for name in names]
    questions += [lambda kind=kind: forest.feature_importances(kind) for kind in ("gain", "split", "impurity")]
    questions += [lambda: forest.shap_values(rows), lambda: forest.shap_values(rows, rows[:2])]
    questions += [lambda: list(forest.staged_predict(rows)), lambda: forest.truncate(1).predict(rows)]
    questions += [lambda: forest.predict_row(rows[0]), lambda: repr(forest), lambda: forest.feature_importances_]
    for question in questions:
        try:
            question()
        except (ModelError, InputError):
            continue


def repaired(data: bytes) -> bytes:
    """Return a .forest file whose size and digest fit."""
    data = data[: len(data) // 8 * 8]
    if len(data) < 72:
        return data
    data = data[:16] + len(data).to_bytes(8, "little") + data[24:-8]
    return data + digest(data).to_bytes(8, "little")


def bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY_BYTES,) * 2)


def too_slow(number: int, frame: Any) -> None:
    raise TooSlow(f"more than {TIME_S} s")


if __name__ == "__main__":
    sys.exit(main())
