"""The HTTP servers that are compared: how each is started, what it is sent, how its answer is read."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import artifacts
import harness
import peers
import seed

Row = list[float]
FLOOR = "bare runtime loop, for scale"

SAVE_MLFLOW = """\
import sys, lightgbm, mlflow.lightgbm
mlflow.lightgbm.save_model(lightgbm.Booster(model_file=sys.argv[1]), sys.argv[2])
"""

BENTO = """\
import bentoml
import lightgbm

LABELS = ["setosa", "versicolor", "virginica"]


@bentoml.service(workers=WORKERS)
class Iris:
    def __init__(self) -> None:
        self.model = lightgbm.Booster(model_file="lgb.model")

    @bentoml.api
    def predict(self, row: list[float]) -> dict:
        proba = self.model.predict([row])[0].tolist()
        return {"proba": proba, "label": LABELS[proba.index(max(proba))]}
"""


@dataclass
class Server:
    """One server on a port of 127.0.0.1 that the system chose."""

    name: str
    command: Callable[[int], list[str]]
    cwd: Path
    env: dict[str, str]
    path: str = "/predict"
    body: Callable[[Row], str] = lambda row: json.dumps(dict(zip(seed.FEATURES, row, strict=True)))
    proba: Callable[[bytes], list[float]] = lambda answer: json.loads(answer)["proba"]
    ready_s: float = 60
    load_s: int = 5  # seconds under 16 connections
    connections: tuple[int, ...] = (1, 16)
    port: int = field(default_factory=harness.free_port)

    def post(self, body: str, *, timeout_s: float = 30) -> tuple[int, bytes]:
        """Send one request on a connection of its own: (status, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def is_up(self) -> bool:
        """Say whether the server answers at all, rightly or not."""
        return bool(self.post(self.body(list(seed.ROW)))[0])

    def answers(self) -> bool:
        """Say whether the server answers its row at all: what `ready` waits for."""
        try:
            status, _ = self.post(self.body(list(seed.ROW)))
        except http.client.HTTPException:
            return False
        return status == 200


def bareboat(kind: str) -> Server:
    """`bareboat serve` on the project of this kind."""
    place = artifacts.project(kind)
    return Server(
        f"bareboat serve, {kind}:", lambda port: [*artifacts.BAREBOAT, "serve", "--port", str(port)], place,
        harness.environment(), ready_s=120, connections=(1, 16, 64),
    )  # fmt: skip


def bridge() -> Server:
    """A bare loop, on bareboat's artifact of the model: see bridge.py."""
    built = artifacts.bareboat_artifact("model", name="bridge")
    task = harness.unzip(built.path, peers.folder() / "artifacts" / "bridge")
    script = str(Path(__file__).with_name("bridge.py"))
    return Server(
        FLOOR,
        lambda port: [sys.executable, script, str(port), str(task), built.handler],
        task,
        dict(os.environ),
        connections=(1, 16, 64),
    )


def serverless_offline(*, handler: str = seed.HANDLER, name: str = "offline") -> Server:
    """serverless-offline on osls, with the seed project."""
    place = seed.osls_project(name, {}, handler=handler, offline=True)
    tool = str(peers.install_node("osls") / "node_modules" / ".bin" / "osls")

    def command(port: int) -> list[str]:
        other = ["--lambdaPort", str(harness.free_port()), "--albPort", str(harness.free_port())]
        return [tool, "offline", "--host", "127.0.0.1", "--httpPort", str(port), *other]

    return Server("serverless-offline", command, place, seed.osls_env(), load_s=8)  # longer than its timeout of 6 s


def mlflow(workers: int) -> Server:
    """`mlflow models serve` on the same model file."""
    place = peers.folder() / "projects" / "mlflow"
    python = peers.install_venv("mlflow")
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_TRACKING_URI": f"sqlite:///{place}/mlflow.db",
    }
    env = harness.environment(PATH=f"{python.parent}:/usr/local/bin:/usr/bin:/bin", **quiet)
    if not (place / "model" / "MLmodel").exists():
        place.mkdir(parents=True, exist_ok=True)
        save = [str(python), "-c", SAVE_MLFLOW, str(seed.MODEL), str(place / "model")]
        done = subprocess.run(save, cwd=place, env=env, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise harness.RowError(f"mlflow save_model: {done.stderr[-300:]}")
    tool = [
        str(python.parent / "mlflow"),
        "models",
        "serve",
        "--model-uri",
        str(place / "model"),
        "--env-manager",
        "local",
    ]
    return Server(
        f"MLflow, {workers} worker{'s' * (workers > 1)}",
        lambda port: [*tool, "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)],
        place, env, path="/invocations",
        body=lambda row: json.dumps({"inputs": [row]}),
        proba=lambda answer: json.loads(answer)["predictions"][0],
    )  # fmt: skip


def bentoml(workers: int) -> Server:
    """`bentoml serve` on the same model file."""
    files = {"service.py": BENTO.replace("WORKERS", str(workers))}
    place = seed.write_project(peers.folder() / "projects" / f"bentoml-{workers}", files)
    python = peers.install_venv("bentoml")
    env = harness.environment(
        PATH=f"{python.parent}:/usr/local/bin:/usr/bin:/bin", BENTOML_DO_NOT_TRACK="True",
        BENTOML_HOME=str(peers.folder() / "bentoml-home"),
    )  # fmt: skip
    tool = [str(python.parent / "bentoml"), "serve", "service:Iris", "--host", "127.0.0.1", "--port"]
    return Server(
        f"BentoML, {workers} worker{'s' * (workers > 1)}", lambda port: [*tool, str(port)], place, env,
        body=lambda row: json.dumps({"row": row}),
    )  # fmt: skip


ALL: dict[str, Callable[[], Server]] = {
    FLOOR: bridge,
    "bareboat serve, model:": lambda: bareboat("model"),
    "bareboat serve, handler:": lambda: bareboat("handler"),
    "serverless-offline": serverless_offline,
    "MLflow, 1 worker": lambda: mlflow(1),
    "MLflow, 4 workers": lambda: mlflow(4),
    "BentoML, 1 worker": lambda: bentoml(1),
    "BentoML, 4 workers": lambda: bentoml(4),
}

if __name__ == "__main__":
    sys.exit("this module is imported by local_http.py and handler_error.py")
