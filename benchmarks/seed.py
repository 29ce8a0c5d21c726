"""The seed project -> folders that each peer can work in, the event they all get, and the answers they all owe.

The project is the one of the tutorial of 2021: a LightGBM iris classifier, a handler, serverless.yml and
requirements.txt. osls 4 refuses the file as published (`frameworkVersion: '2'`, `python3.7`), so the peers get these
two lines changed; `zip` and `slim` are set as each row says, and Docker is not asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import harness
import peers

MODEL = Path(__file__).parent.parent / "src" / "bareboat" / "templates" / "lightgbm-iris" / "lgb.model"
FEATURES = ["sepal length", "sepal width", "petal length", "petal width"]
LABELS = ["setosa", "versicolor", "virginica"]
ROW = [6, 3, 5, 2]
BODY = json.dumps(dict(zip(FEATURES, ROW, strict=True)))
ANSWER = '{"proba": [0.11376620900197651, 0.17004835386299028, 0.7161854371350332], "label": "virginica"}'

HANDLER = """\
try:
    import unzip_requirements
except ImportError:
    pass

import json

import lightgbm as lgb

model = lgb.Booster(model_file="lgb.model")
labels = ["setosa", "versicolor", "virginica"]
features = ["sepal length", "sepal width", "petal length", "petal width"]


def predict(event, context):
    body = json.loads(event["body"])
    proba = model.predict([[body[name] for name in features]])[0].tolist()
    answer = {"proba": proba, "label": labels[proba.index(max(proba))]}
    return {"statusCode": 200, "body": json.dumps(answer)}
"""

RAISING = """\
def predict(event, context):
    raise ValueError("no such flower")
"""

EMPTY = """\
def predict(event, context):
    return {"statusCode": 200, "body": "{}"}
"""

SERVICE = """\
service: predict

frameworkVersion: '4'

provider:
  name: aws
  region: ap-southeast-1
  runtime: python3.12

functions:
  predict:
    handler: handler.predict
    events:
      - httpApi:
          path: /predict
          method: post
    package:
      patterns:
        - lgb.model

plugins:
  - serverless-python-requirements
"""

MODEL_SERVICE = """\
service: predict

provider:
  name: aws
  region: ap-southeast-1
  runtime: python3.12

functions:
  predict:
    model: lgb.model
    features: [sepal length, sepal width, petal length, petal width]
    labels: [setosa, versicolor, virginica]
    events:
      - httpApi:
          path: /predict
          method: post
"""

SAM_TEMPLATE = """\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Predict:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: handler.predict
      Runtime: python3.12
      MemorySize: 1024
      Timeout: 6
"""

OSLS_MODES = {"zip: true": {"zip": "true"}, "zip: false": {}, "slim: true": {"slim": "true"}}


def event(body: str = BODY) -> bytes:
    """Write the HTTP API event (payload 2.0) of POST /predict with this body."""
    http = {"method": "POST", "path": "/predict", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "bench"}
    return json.dumps(
        {
            "version": "2.0",
            "routeKey": "POST /predict",
            "rawPath": "/predict",
            "rawQueryString": "",
            "headers": {"content-type": "application/json", "content-length": str(len(body)), "host": "127.0.0.1"},
            "requestContext": {"http": http, "routeKey": "POST /predict", "stage": "$default", "requestId": "bench"},
            "body": body,
            "isBase64Encoded": False,
        }
    ).encode()


def write_project(place: Path, files: dict[str, str], *, model: bool = True) -> Path:
    """Write `files` and the model file into the empty folder `place`."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(text)
    if model:
        shutil.copyfile(MODEL, place / "lgb.model")
    return place


def requirements() -> str:
    """Write requirements.txt with the versions that the peers' environments hold."""
    return "\n".join(peers.LIGHTGBM) + "\n"


def osls_service(name: str, settings: dict[str, str], *, offline: bool = False) -> str:
    """Write serverless.yml for osls: the plugin's settings, and a cache of the project's own.

    The plugin's cache does not tell `slim` from not slim, so projects may not share one.
    """
    lines = [SERVICE.rstrip()]
    if offline:
        lines.append("  - serverless-offline")
    lines += ["", "custom:", "  pythonRequirements:", "    dockerizePip: non-linux"]
    lines += [f"    cacheLocation: {peers.folder() / 'plugin-cache' / name}"]
    lines += [f"    {key}: {value}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def osls_project(name: str, settings: dict[str, str], *, handler: str = HANDLER, offline: bool = False) -> Path:
    """Write the seed project for osls below the folder where it is installed.

    Node finds the plugins by walking up, and there is no node_modules in the project that would swell the archive.
    """
    files = {
        "serverless.yml": osls_service(name, settings, offline=offline),
        "handler.py": handler,
        "requirements.txt": requirements(),
        "package.json": '{"private": true}\n',
    }
    return write_project(peers.install_node("osls") / "projects" / name, files)


def osls_env() -> dict[str, str]:
    """Set what osls needs: its binary, Python 3.12 with the requirements on PATH, credentials of no account."""
    tools = peers.install_node("osls") / "node_modules" / ".bin"
    python = peers.install_venv("lightgbm").parent
    return harness.environment(
        PATH=f"{tools}:{python}:{os.environ['PATH']}",
        AWS_ACCESS_KEY_ID="none",
        AWS_SECRET_ACCESS_KEY="none",
        SLS_TELEMETRY_DISABLED="1",
        SLS_NOTIFICATIONS_MODE="off",
    )


def osls_command() -> list[str]:
    """Return the command that packages the project in the working directory."""
    return [str(peers.install_node("osls") / "node_modules" / ".bin" / "osls"), "package"]


def osls_package(place: Path) -> tuple[Path, float]:
    """Run `osls package`; return the archive and the seconds. A crash on a cold plugin cache is tried once more."""
    command = osls_command()
    for attempt in (1, 2):
        shutil.rmtree(place / ".serverless", ignore_errors=True)
        started = time.perf_counter()
        done = subprocess.run(command, cwd=place, env=osls_env(), capture_output=True, timeout=300, check=False)
        took_s = time.perf_counter() - started
        archives = list((place / ".serverless").glob("*.zip"))
        if done.returncode == 0 and archives:
            return archives[0], took_s
        if attempt == 2:
            raise harness.RowError(f"osls package: exit {done.returncode}: {done.stderr.decode()[-400:]}")
    raise AssertionError


def osls_artifact(mode: str) -> Path:
    """Build the archive of osls in one of OSLS_MODES, once; return its path."""
    name = "osls-" + mode.replace(": ", "-")
    kept = peers.folder() / "artifacts" / f"{name}.zip"
    if not kept.exists():
        archive, _ = osls_package(osls_project(name, OSLS_MODES[mode]))
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(archive, kept)
    return kept


def hand_tuned() -> Path:
    """Build the seed project as a careful hand would: the same wheels, bytecode whatever its date."""
    place = peers.folder() / "artifacts" / "hand-tuned"
    if not (place / "handler.py").exists():
        shutil.rmtree(place, ignore_errors=True)
        python = str(peers.interpreter("3.12"))
        install = [peers.uv(), "pip", "install", "--quiet", "--python", python, "--target", str(place), *peers.LIGHTGBM]
        subprocess.run(install, check=True, timeout=300)
        (place / "handler.py").write_text(HANDLER)
        shutil.copyfile(MODEL, place / "lgb.model")
        compile_all = [python, "-m", "compileall", "-q", "-j0", "--invalidation-mode", "unchecked-hash", str(place)]
        subprocess.run(compile_all, check=False, timeout=300)  # one file of scipy's tests does not compile, by design
    return place


def oracle(rows: list[list[float]]) -> list[list[float]]:
    """Ask LightGBM itself for the probabilities of each row: (n, 4) -> (n, 3)."""
    code = (
        "import json, sys, lightgbm, numpy\n"
        "booster = lightgbm.Booster(model_file=sys.argv[1])\n"
        "rows = numpy.array(json.load(sys.stdin), dtype=float)\n"
        "print(json.dumps([booster.predict(row[None])[0].tolist() for row in rows]))\n"
    )
    command = [str(peers.install_venv("lightgbm")), "-c", code, str(MODEL)]
    done = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True, timeout=60, check=True)
    answers: list[list[float]] = json.loads(done.stdout)
    return answers
