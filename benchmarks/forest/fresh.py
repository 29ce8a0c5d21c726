"""A fresh process: import, load, first prediction, over Python alone; and what it holds in memory."""

from __future__ import annotations

import argparse
import functools
import statistics
import subprocess
import sys
import time

import common
import engines
import harness
import models

LIMITS_MS = {"M": 3.0, "L": 8.0}
FLOOR = "Python alone"

BAREBOAT = """
from bareboat.runtime.forest import load_forest
print(repr(load_forest(PATH).predict(ROW)[-1]))
"""
LLEAVES = """
import lleaves, numpy
model = lleaves.Model(model_file=MODEL)
model.compile(cache=PATHOPTIONS)
print(repr(float(model.predict(numpy.array([ROW]), n_jobs=1)[0])))
"""
ONNXRUNTIME = """
import numpy, onnxruntime
session = onnxruntime.InferenceSession(PATH, providers=["CPUExecutionProvider"])
out = session.run([session.get_outputs()[-1].name], {"x": numpy.array([ROW], numpy.float32)})[0]
print(repr(float(numpy.ravel(out)[-1])))
"""
LIGHTGBM = """
import lightgbm, numpy
print(repr(float(lightgbm.Booster(model_file=MODEL).predict(numpy.array([ROW]))[0])))
"""
MEMORY = """
import sys
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
"""


def programs(model: models.Model) -> dict[str, str]:
    row = model.rows[0].tolist()
    text = repr(row).replace("nan", "float('nan')")
    forest, _ = engines.bareboat_file(model)
    engines.lleaves_engine(model), engines.onnx_file(model)
    options = ", finline=False, fblocksize=34" if model.name == "L" else ""
    texts = {
        "bareboat": (BAREBOAT, forest),
        "lleaves": (LLEAVES, model.file.with_suffix(".lleaves.o")),
        "onnxruntime": (ONNXRUNTIME, model.file.with_suffix(".onnx")),
        "lightgbm": (LIGHTGBM, model.file),
    }
    made = {FLOOR: ""}
    for name, (program, path) in texts.items():
        values = {"ROW": text, "OPTIONS": options, "PATH": repr(str(path)), "MODEL": repr(str(model.file))}
        made[name] = functools.reduce(lambda text, pair: text.replace(*pair), values.items(), program)
    return made


def _run(program: str) -> tuple[float, str, int]:
    env = harness.environment(PYTHONPATH=str(harness.REPOSITORY / "src"))
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program + MEMORY], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise harness.RowError(done.stderr.strip().splitlines()[-1])
    return seconds, done.stdout.strip(), int(done.stderr.split()[-1])


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 31, 3)
    columns = ["ms over Python alone, median", "ms in all, median (min-max)", "peak memory MB", "answer", "n"]
    report = common.report("fresh", "A fresh process to its first prediction", columns, n_rounds)
    for name in [each for each in given.models if each in LIMITS_MS]:
        model = common.model(name)
        texts = programs(model)
        want = repr(float(engines.expected(model, model.rows[:1])[0]))
        taken: dict[str, list[float]] = {key: [] for key in texts}
        memory: dict[str, int] = {}
        answers: dict[str, str] = {}
        for turn in range(-1, n_rounds):
            for key in harness.shuffled(list(texts), turn):
                seconds, answer, peak = _run(texts[key])
                if turn >= 0:
                    taken[key].append(seconds * 1e3)
                memory[key] = peak
                answers[key] = "" if key == FLOOR else _compared(answer, want)
        floor = statistics.median(taken[FLOOR])
        for key, ms in taken.items():
            over = statistics.median(ms) - floor
            cells = [f"{over:.1f}", harness.spread(ms, 1), f"{memory[key] * 1024 / 1e6:.0f}", answers[key], len(ms)]
            report.rows[f"{name}, {key}"] = dict(zip(columns, cells, strict=True))
            if key == "bareboat":
                report.target(f"fresh process, {name}", f"at most {LIMITS_MS[name]:g} ms over Python alone", over,
                              over <= LIMITS_MS[name], f"{over:.1f} ms")  # fmt: skip
    report.notes += ["Bytecode is written before, and the page cache is warm. lleaves loads what it compiled before."]
    return report.finish(write=not given.no_write)


def _compared(answer: str, want: str) -> str:
    return "equal" if answer == want else f"off by {abs(float(answer) - float(want)):.1g}"
