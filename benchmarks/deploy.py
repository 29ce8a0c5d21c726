"""`deploy` from command line to exit: nothing changed, one function changed; bareboat beside osls on one LocalStack.

    python benchmarks/deploy.py [--rounds N] [--quick]

LocalStack runs in host mode without Docker and answers both; its interpreter is $BAREBOAT_LOCALSTACK, or the one that
peers.py installs. The service has two functions behind a REST API, each with an archive of its own, and the same
serverless.yml for both tools; stages keep them apart. After each change both stacks' endpoints are asked, and must
answer the same. On moto's server osls stops when moto refuses its template: there, the time is taken until
CloudFormation is sent the whole template of a first deployment.
"""

from __future__ import annotations

import compileall
import contextlib
import http.client
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import artifacts
import harness
import peers
import seed

sys.path.insert(0, str(harness.REPOSITORY / "tests" / "differential" / "localstack_aws"))
from server import LocalStack, running

TIMES = 3.0
COLUMNS = ["s, median (min-max)", "over osls", "n", "answers"]
NAMES = ("greet", "part")
TOOLS = ("bareboat", "osls")
WORK = {
    "same": "deploy, nothing changed",
    "change": "deploy, one function of two changed",
    "first": "deploy, first time",
    "moto": "moto, first time, up to the whole template at CloudFormation",
}
SERVICE = """\
service: bench
provider:
  name: aws
  region: us-east-1
  runtime: python3.13
  architecture: x86_64
package:
  individually: true
  patterns: ['!**']
functions:
""" + "".join(
    f"""\
  {name}:
    handler: {name}.answer
    package: {{patterns: [{name}.py]}}
    events:
      - http: POST /{name}
"""
    for name in NAMES
)
HTTP_SERVICE = SERVICE.replace("- http:", "- httpApi:")
HANDLER = """\
import json


def answer(event, context):
    return {{"statusCode": 200, "body": json.dumps({{"says": "{word} " + json.loads(event["body"])["name"]}})}}
"""


@dataclass
class Side:
    """One tool: its project, its command, and the seconds of each kind of run."""

    tool: str
    place: Path
    env: dict[str, str]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """Return the command that deploys the project in the working directory."""
        if self.tool == "osls":
            return [*seed.osls_command()[:1], "deploy", "--stage", "osls"]
        return [*artifacts.BAREBOAT, "deploy", "--yes", "--stage", "bareboat"]

    def write(self, name: str, word: str) -> None:
        """Write one function, so that it says this word."""
        (self.place / f"{name}.py").write_text(HANDLER.format(word=word))

    def deploy(self, kind: str, *, said: str = "") -> None:
        """Deploy, and keep how long it took.

        Raises:
            harness.RowError: it fails, or does not say what it should.
        """
        began = time.perf_counter()
        done = subprocess.run(
            self.command, cwd=self.place, env=self.env, capture_output=True, text=True, timeout=120, check=False
        )
        took = time.perf_counter() - began
        if done.returncode or said not in done.stdout + done.stderr:
            raise harness.RowError(f"exit {done.returncode}: {done.stdout[-300:]} {done.stderr[-400:]}")
        self.seconds.setdefault(kind, []).append(took)


def project(tool: str, endpoint: str, scratch: Path, service: str = SERVICE) -> Side:
    """Write the service for one tool; AWS is at `endpoint`."""
    root = peers.install_node("osls") / "projects" if tool == "osls" else peers.folder() / "projects"
    place = root / f"deploy-{tool}"
    shutil.rmtree(place, ignore_errors=True)
    files = {"serverless.yml": service, **{f"{name}.py": HANDLER.format(word="hello") for name in NAMES}}
    seed.write_project(place, files, model=False)
    env = seed.osls_env() if tool == "osls" else artifacts.package_env(scratch / "cache")
    env |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(scratch / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(scratch / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return Side(tool, place, env)


# --- LocalStack --------------------------------------------------------------------------------------------------


def apis(cloud: LocalStack) -> dict[str, str]:
    """Ask LocalStack for the REST APIs: name -> id."""
    key = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=x"
    asked = urllib.request.Request(f"{cloud.endpoint}/restapis", headers={"Authorization": key})
    with _direct().open(asked, timeout=30) as said:
        return {one["name"]: one["id"] for one in json.load(said)["item"]}


def answers(cloud: LocalStack, tool: str, ids: dict[str, str]) -> dict[str, str]:
    """Ask each route of one stack."""
    found = {}
    for name in NAMES:
        url = f"{cloud.endpoint}/_aws/execute-api/{ids[f'{tool}-bench']}/{tool}/{name}"
        asked = urllib.request.Request(url, b'{"name": "you"}', {"Content-Type": "application/json"})
        with _direct().open(asked, timeout=30) as said:
            found[name] = f"{said.status} {said.read().decode()}"
    return found


def _direct() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def on_localstack(rounds: int, report: harness.Report, scratch: Path, python: str) -> dict[str, Side]:
    """Deploy both, then in each round both unchanged and changed, in turns, and compare the answers."""
    with running(python) as cloud:
        sides = {tool: project(tool, cloud.endpoint, scratch) for tool in TOOLS}
        try:
            for tool in ("osls", "bareboat", "osls", "bareboat"):  # LocalStack loads a service when first asked
                side = sides[tool]
                side.deploy("warm" if "warm" not in side.seconds else "first warm")
            ids = apis(cloud)
            for turn in range(rounds):
                for tool in harness.rotated(TOOLS, turn):
                    side = sides[tool]
                    side.deploy("same", said="nothing changes" if tool == "bareboat" else "No changes")
                    side.write("greet", f"turn {turn}")
                    side.deploy("change")
                said = {tool: answers(cloud, tool, ids) for tool in TOOLS}
                right = {"greet": f'200 {{"says": "turn {turn} you"}}', "part": '200 {"says": "hello you"}'}
                for tool in TOOLS:
                    if said[tool] != right:
                        raise harness.RowError(f"{tool} answers {said[tool]} instead of {right}")
        except (harness.RowError, OSError, subprocess.SubprocessError, KeyError) as error:
            for kind in ("same", "change"):
                for tool in TOOLS:
                    report.fail(f"{tool} {WORK[kind]}", error)
        return sides


# --- moto --------------------------------------------------------------------------------------------------------


class Watched(ThreadingHTTPServer):
    """A proxy before moto that notes when CloudFormation is first sent the template of the whole service."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: float | None = None
        super().__init__(("127.0.0.1", 0), _Through)

    def look(self, body: bytes) -> None:
        """Look at a request; osls has its template validated, bareboat has its change set made of it."""
        if self.seen is None and b"Action=" in body:
            sent = urllib.parse.parse_qs(body.decode("latin-1"))
            action = sent.get("Action", [""])[0]
            whole = "AWS::Lambda::Function" in sent.get("TemplateBody", [""])[0]
            if action == "ValidateTemplate" or (action == "CreateChangeSet" and whole):
                self.seen = time.perf_counter()


class _Through(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Watched

    def _pass_on(self) -> None:
        if self.headers.get("Expect") == "100-continue":
            self.wfile.flush()
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.look(body)
        there = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        skipped = ("connection", "transfer-encoding", "content-length", "expect")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in skipped}
        try:
            there.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
            said = there.getresponse()
            data = said.read()
        except (OSError, http.client.HTTPException):  # the round is over, or moto broke off
            self.close_connection = True
            return
        self.send_response_only(said.status)
        for name, value in said.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = said.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        there.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def moto() -> Iterator[int]:
    """Start moto's server, unchanged; its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", MOTO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=harness.environment(),
    )  # fmt: skip
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=10)


def on_moto(rounds: int, report: harness.Report, scratch: Path) -> dict[str, list[float]]:
    """Deploy an HTTP API for the first time to an empty moto, and take the time until its template is there."""
    found: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    with moto() as port:
        for turn in range(-1, rounds):  # the first loads moto's services
            for tool in harness.rotated(TOOLS, turn):
                asked = urllib.request.Request(f"http://127.0.0.1:{port}/moto-api/reset", method="POST")
                _direct().open(asked, timeout=30).close()
                proxy = Watched(port)
                thread = threading.Thread(target=proxy.serve_forever)
                thread.start()
                side = project(tool, f"http://127.0.0.1:{proxy.server_address[1]}", scratch, HTTP_SERVICE)
                began = time.perf_counter()
                process = subprocess.Popen(
                    side.command, cwd=side.place, env=side.env, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
                try:
                    until = began + 60
                    while proxy.seen is None and process.poll() is None and time.perf_counter() < until:
                        time.sleep(0.005)
                finally:
                    harness.stop(process)
                    proxy.shutdown()
                    proxy.server_close()
                    thread.join(10)
                if proxy.seen is None:
                    report.fail(f"{tool} {WORK['moto']}", f"its template never came (exit {process.returncode})")
                elif turn >= 0:
                    found[tool].append(proxy.seen - began)
    return found


# --- the report --------------------------------------------------------------------------------------------------


def tell(report: harness.Report, kind: str, seconds: dict[str, list[float]], answered: str) -> None:
    """Write the rows of one kind, and hold them against what is to reach."""
    if not all(seconds.values()) or any(f"{tool} {WORK[kind]}" in report.failures for tool in TOOLS):
        return
    ours, theirs = (statistics.median(seconds[tool]) for tool in TOOLS)
    for tool in TOOLS:
        cells = [
            harness.spread(seconds[tool], 2), f"{theirs / statistics.median(seconds[tool]):.2f}x", len(seconds[tool]),
            answered,
        ]  # fmt: skip
        report.rows[f"{tool} {WORK[kind]}"] = dict(zip(COLUMNS, cells, strict=True))
    report.target(WORK[kind], f"at least {TIMES:g}x", theirs / ours, theirs / ours >= TIMES, f"{theirs / ours:.2f}x")


def main() -> int:
    given = harness.arguments("`deploy` beside osls.", rounds=7, quick=1)
    python = peers.localstack()
    compileall.compile_dir(harness.REPOSITORY / "src" / "bareboat", quiet=2)
    versions = artifacts.versions("osls", "moto") | {"localstack-core": "2026.3.0"}
    report = harness.Report("deploy", "Deploying", COLUMNS, versions, given.rounds)
    with tempfile.TemporaryDirectory(prefix="bareboat-bench-") as folder:
        scratch = Path(folder)
        sides = on_localstack(given.rounds, report, scratch, python)
        for kind in ("same", "change"):
            tell(report, kind, {tool: sides[tool].seconds.get(kind, []) for tool in TOOLS}, "the same, right")
        tell(report, "moto", on_moto(max(1, given.rounds // 2), report, scratch), "-")
    report.notes += [
        "Seconds from the start of the process to its end, archives made and AWS's answers included; in turns.",
        "LocalStack in host mode answers both; nothing waits for a network. Two functions behind a REST API.",
        "After each change both stacks' routes were asked, and answered the same, with the new word.",
        "On moto osls goes no further: moto refuses its template (cfn-lint's W3005).",
        "There, bareboat's template comes with its change set, which validates it; osls asks ValidateTemplate first.",
    ]
    return report.finish(write=not given.no_write)


if __name__ == "__main__":
    sys.exit(main())
