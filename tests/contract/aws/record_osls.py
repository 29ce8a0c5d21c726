"""Record what osls, the Serverless Framework's free fork, makes of the cases in `osls/`: NAME/serverless.yml -> JSON.

    python tests/contract/aws/record_osls.py [NAME ...]          (all without a name)

For each case it runs `osls package` on a copy of the folder and writes, beside serverless.yml,
`template.json` (the stack), `bucket.json` (the stack of the first deployment, the bucket alone) and `recorded.txt` (the
versions). Times of the run are put to one fixed time. Nothing is asked of AWS: the credentials are made up, and a small
server in AWS's place knows no stack. osls is found at BAREBOAT_OSLS (its `bin/serverless.js`), or where
benchmarks/peers.py installs it. Tests never run it.

With BAREBOAT_SERVERLESS3 (the `bin/serverless.js` of `npm i serverless@3`) it records instead what Serverless 3 itself
makes of the cases that have a `serverless-3.json` already, or are named.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "osls"
OSLS = Path.home() / ".cache/bareboat-peers/node/osls/node_modules/osls/bin/serverless.js"
WRITTEN = {
    "template.json": "cloudformation-template-update-stack.json",
    "bucket.json": "cloudformation-template-create-stack.json",
}
V3 = "serverless-3.json"
TIME = "1700000000000"
MASKS = (
    (re.compile(r"\b\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z"), f"{TIME}-2023-11-14T22:13:20.000Z"),
    (re.compile(r"(ApiGatewayDeployment)\d{13}\b"), rf"\g<1>{TIME}"),
)


def main(names: list[str]) -> int:
    """Record the cases of these names, two at a time."""
    third = os.environ.get("BAREBOAT_SERVERLESS3")
    osls = Path(third or os.environ.get("BAREBOAT_OSLS", OSLS))
    if not osls.is_file():
        print(f"osls is not at {osls}: set BAREBOAT_OSLS", file=sys.stderr)
        return 2
    wanted = CASES.glob("*/serverless.yml") if names or not third else CASES.glob(f"*/{V3}")
    folders = sorted(path.parent for path in wanted if not names or path.parent.name in names)
    with nobody_there() as endpoint, ThreadPoolExecutor(2) as pool:
        failed = [name for name in pool.map(lambda folder: recorded(folder, osls, endpoint), folders) if name]
    return 1 if failed or not folders else 0


class NoStack(BaseHTTPRequestHandler):
    """Answers whatever is asked of CloudFormation as AWS does for a stack that does not exist."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = (
            b"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
            b"<Message>Stack with id x does not exist</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
        self.send_response(400)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def nobody_there() -> Iterator[str]:
    """Serve an AWS without stacks on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), NoStack)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def recorded(folder: Path, osls: Path, endpoint: str) -> str:
    """Record one case; return its name when osls fails."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        shutil.copytree(folder, project, ignore=shutil.ignore_patterns(*WRITTEN, V3, "recorded.txt"))
        (project / "serverless.yml").write_text(without_plugins((folder / "serverless.yml").read_text()))
        if not (project / "handler.py").exists():
            (project / "handler.py").write_text("def handle(event, context):\n    return {}\n")
        done = subprocess.run(
            ["node", str(osls), "package"],
            cwd=project,
            env=environment(scratch, endpoint),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        print(f"{folder.name}: {'recorded' if not done.returncode else 'FAILED'}", file=sys.stderr)
        if done.returncode:
            print(done.stdout + done.stderr, file=sys.stderr)
            return folder.name
        written = {V3: WRITTEN["template.json"]} if os.environ.get("BAREBOAT_SERVERLESS3") else WRITTEN
        for name, made in written.items():
            if not (project / ".serverless" / made).exists():  # bucket.json, where the stack makes no bucket
                continue
            text = (project / ".serverless" / made).read_text()
            (folder / name).write_text(json.dumps(json.loads(with_one_time(text)), indent=1) + "\n")
    if V3 not in written:
        (folder / "recorded.txt").write_text(versions(osls) + "\n")
    return ""


def environment(home: str, endpoint: str) -> dict[str, str]:
    """Return an environment without anybody's AWS."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
    }


def without_plugins(text: str) -> str:
    """Return serverless.yml without what only plugins need, and without the version it asks for."""
    return re.sub(r"^(plugins:[^\n]*\n(?:[ -][^\n]*\n|\n)*|frameworkVersion:[^\n]*\n)", "", text, flags=re.MULTILINE)


def with_one_time(text: str) -> str:
    """Return JSON with the time of the run put to one fixed time."""
    for pattern, fixed in MASKS:
        text = pattern.sub(fixed, text)
    return text


def versions(osls: Path) -> str:
    """Tell what recorded: `osls 4.3.1, node 20.20.2`."""
    package: dict[str, Any] = json.loads((osls.parent.parent / "package.json").read_text())
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{package['name']} {package['version']}, node {node.removeprefix('v')}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
