"""Package names and versions -> the peers, installed outside the repository.

    python benchmarks/peers.py [--only NAME ...]

The folder is $BAREBOAT_PEERS, else `bareboat-peers` in the user's cache folder. Nothing of a peer is committed here:
each comes from its own registry by name and version. Running this again costs nothing when everything is there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIGHTGBM = ["lightgbm==4.7.0", "numpy==2.5.5", "scipy==1.18.1"]
RUNTIME_CLIENT = "awslambdaric==4.2.2"
PYTHON = "3.12"

NODE = {
    "osls": ["osls@4.3.1", "serverless-python-requirements@6.1.2", "serverless-offline@14.8.2"],
    "serverless3": ["serverless@3.40.0", "serverless-python-requirements@6.1.2", "serverless-offline@13.10.1"],
}
VENVS = {
    "lightgbm": LIGHTGBM,  # the handler run directly, and behind osls' own commands
    "mlflow": ["mlflow==3.17.2", *LIGHTGBM],
    "bentoml": ["bentoml==1.4.39", *LIGHTGBM],
    "sam": ["aws-sam-cli==1.170.0"],
    # All engines of forests in one process. lleaves 1.3.0 needs llvmlite 0.44, which holds numba and numpy back.
    "forest": [
        "llvmlite==0.44.0",
        "lleaves==1.3.0",
        "treelite==4.8.1",
        "tl2cgen==1.0.0",
        "onnxruntime==1.31.1",
        "onnx==1.23.2",
        "onnxmltools==1.16.0",
        "skl2onnx==1.20.0",
        "lightgbm==4.7.0",
        "xgboost-cpu==3.2.0",
        "scikit-learn==1.9.1",
        "shap==0.51.0",
        "numpy==2.2.6",
        "pandas",
        "matplotlib",
    ],
    # Pipelines: scikit-learn itself, and what it is converted to for ONNX Runtime.
    "models": [
        "scikit-learn==1.9.1",
        "lightgbm==4.7.0",
        "numpy==2.4.6",
        "pandas==3.1.1",
        "pyarrow==26.0.1",
        "polars==2.1.0",
        "onnxruntime==1.31.1",
        "onnx==1.23.2",
        "onnxmltools==1.16.0",
        "skl2onnx==1.20.0",
    ],
}
TREES = {
    "runtime-3.12": [RUNTIME_CLIENT],  # what lies in /var/runtime on Lambda
    "runtime-3.13": [RUNTIME_CLIENT],
}
OPTIONAL = ("serverless3",)  # 280 MB; python3.12 in `invoke local` sends it to Docker, so no row needs it


def folder() -> Path:
    """Say where the peers live: $BAREBOAT_PEERS or the user's cache folder."""
    given = os.environ.get("BAREBOAT_PEERS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else cache / "bareboat-peers"


def interpreter(minor: str) -> Path:
    """Find a working CPython of this minor version.

    Raises:
        SystemExit: there is none; the message says how to get one.
    """
    roots = [Path(root) for root in (os.environ.get("PYENV_ROOT"), Path.home() / ".pyenv") if root]
    candidates = [path for root in roots for path in sorted(root.glob(f"versions/{minor}.*/bin/python"), reverse=True)]
    on_path = shutil.which(f"python{minor}")
    for candidate in [*candidates, *([Path(on_path)] if on_path else [])]:
        asked = [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
        if answer.returncode == 0 and answer.stdout.strip() == minor:
            return candidate
    raise SystemExit(f"benchmarks: no Python {minor} found; install one (uv python install {minor}) or set PYENV_ROOT")


def uv() -> str:
    """Find uv: beside this interpreter or on PATH."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise SystemExit("benchmarks: uv not found; pip install uv")
    return found


def _run(command: list[str], log: Path) -> None:
    with log.open("ab") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, timeout=900, check=False)
    if done.returncode:
        raise SystemExit(f"benchmarks: {' '.join(command[:4])} ... failed, see {log}")


def _once(place: Path, wanted: list[str], install: Callable[[], None]) -> None:
    """Install unless the mark in `place` says that exactly this is there."""
    mark = place / ".installed.json"
    if mark.exists() and json.loads(mark.read_text()) == wanted:
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    started = time.perf_counter()
    install()
    mark.write_text(json.dumps(wanted))
    print(f"{place.name}: {', '.join(wanted)} in {time.perf_counter() - started:.0f} s", flush=True)


def install_node(name: str) -> Path:
    """Install the npm packages of NODE[name]; return their folder."""
    place = folder() / "node" / name

    def install() -> None:
        (place / "package.json").write_text('{"private": true}\n')
        command = ["npm", "install", "--no-audit", "--no-fund", "--save-exact", "--prefix", str(place), *NODE[name]]
        _run(command, place / "install.log")

    _once(place, NODE[name], install)
    return place


def install_venv(name: str) -> Path:
    """Install VENVS[name] into a virtual environment of its own; return its interpreter."""
    place = folder() / "venvs" / name
    python = place / "bin" / "python"

    def install() -> None:
        log = place / "install.log"
        make = [uv(), "venv", "--quiet", "--seed", "--allow-existing", "--python", str(interpreter(PYTHON))]
        _run([*make, str(place)], log)
        _run([uv(), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *VENVS[name]], log)

    _once(place, VENVS[name], install)
    return python


def localstack() -> str:
    """Return a Python that has LocalStack: $BAREBOAT_LOCALSTACK, or one installed here from the tests' own pins."""
    given = os.environ.get("BAREBOAT_LOCALSTACK")
    if given:
        return given
    place = folder() / "venvs" / "localstack"
    pins = Path(__file__).parent.parent / "tests" / "differential" / "localstack_aws" / "requirements.txt"

    def install() -> None:
        log = place / "install.log"
        make = [uv(), "venv", "--quiet", "--allow-existing", "--python", str(interpreter("3.13")), str(place)]
        _run(make, log)
        to = ["--python", str(place / "bin" / "python")]
        _run([uv(), "pip", "install", "--quiet", "--compile-bytecode", *to, "-r", str(pins)], log)

    _once(place, pins.read_text().splitlines(), install)
    return str(place / "bin" / "python")


def install_tree(name: str) -> Path:
    """Install TREES[name] into a bare folder, for PYTHONPATH; return it."""
    place = folder() / "trees" / name
    minor = name.rpartition("-")[2]

    def install() -> None:
        command = [uv(), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(interpreter(minor))]
        _run([*command, "--target", str(place), *TREES[name]], place / "install.log")

    _once(place, TREES[name], install)
    return place


def install_all(only: list[str]) -> None:
    """Install every peer, or those named."""
    for table, install in ((NODE, install_node), (VENVS, install_venv), (TREES, install_tree)):
        for name in table:
            if name in only or (not only and name not in OPTIONAL):
                install(name)


def main() -> None:
    parser = argparse.ArgumentParser(description="Install the peers of the benchmarks outside the repository.")
    parser.add_argument("--only", nargs="*", default=[], choices=[*NODE, *VENVS, *TREES])
    install_all(parser.parse_args().only)
    print(folder())


if __name__ == "__main__":
    main()
