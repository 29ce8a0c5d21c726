"""`bareboat.serve`: a model in memory or on disk -> a local URL that answers, until it is stopped."""

from __future__ import annotations

import contextlib
import html
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
import weakref
from collections import deque
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urlsplit

from bareboat.artifact import Artifact, build_here, targets_here
from bareboat.artifact.orphans import orphans
from bareboat.errors import InputError, LocalError
from bareboat.packaging.target import host_target
from bareboat.project.around import PYTHON, Wish
from bareboat.project.create import Project
from bareboat.project.temporary import project_of
from bareboat.project.values import is_one_row, json_rows
from bareboat.service import load_service

log = logging.getLogger(__name__)

FUNCTION, ROUTE = "predict", "/predict"
_KEPT_LINES = 10_000
_ROWS_A_REQUEST = 1000
_READY_S = 60.0


def serve(model: Any, sample: Any = None, *, name: str | None = None, port: int = 0) -> Session:
    """Serve a model on this machine, as `bareboat serve` does, and go on.

    It writes the project that `bareboat create --model` would into a temporary folder, builds its artifact, starts
    `bareboat serve` on it in a process of its own, and asks it the sample's first row.

    Args:
        model: a model file, or a fitted estimator, pipeline or Booster. One in memory is compiled where it is; one
            that does not compile is saved and served by its own framework (a note says so).
        sample: rows such as `X.head()`; the first becomes the sample request.
        name: of the service; None takes it from the model.
        port: 0 takes a free one.
    Returns:
        The session; `stop()`, the end of a `with` block, or the end of this process ends it.
    Raises:
        ModelError: the model cannot be read, saved or served.
        InputError: `sample` holds no rows, or the model does not answer its first one.
        BareboatError: what `bareboat serve` would say.
    """
    rows = [] if sample is None else json_rows(sample)
    folder = Path(tempfile.mkdtemp(prefix="bareboat-serve-"))
    try:
        wish = Wish(rows[0] if rows else None, architecture=host_target(PYTHON).architecture)
        project = project_of(model, folder / "project", wish, name=name)
        service = load_service(project.folder / "serverless.yml")
        targets, _ = targets_here(service)
        artifact = build_here(service, targets)[FUNCTION]
        session = Session(folder, project, artifact, port)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if rows:
        try:
            session.predict(rows[:1])
        except BaseException:
            session.stop()
            raise
    return session


class Session:
    """A model that is served on this machine. It is made by `bareboat.serve`.

    Attributes:
        url: where rows are posted, such as `http://127.0.0.1:40123/predict`.
        sample: a row that it answers.
        artifact: what is served; `bareboat.package` builds it for Lambda.
        notes: what a person should know of it.
    """

    def __init__(self, folder: Path, project: Project, artifact: Artifact, port: int) -> None:
        self.artifact = artifact
        self.sample = json.loads(project.sample)
        warnings = tuple(note.text for note in artifact.notes if note.level == "warning")
        self.notes = (*project.notes, *warnings)
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        mark = f"BAREBOAT_SESSION={uuid.uuid4().hex}"
        process = _started(project.folder, port, mark)
        self._end = weakref.finalize(self, _ended, process, folder)
        self._reader = threading.Thread(target=_read, args=(process.stderr, self._lines), daemon=True)
        self._reader.start()
        self._process = process
        try:
            self.url = self._announced() + ROUTE
        except BaseException:
            self.stop()
            raise
        for note in warnings:  # those of the project are logged
            log.warning("%s", note)

    @property
    def is_running(self) -> bool:
        """Whether it still answers."""
        return self._end.alive and self._process.poll() is None

    def predict(self, rows: Any) -> Any:
        """Ask for answers over HTTP, as any client does.

        Args:
            rows: a data frame, a dict of columns, a list of dicts or of rows, an array; or one row as a dict by name.
        Returns:
            The answers, one for each row, such as `{"proba": [0.2, 0.8], "label": "yes"}`; of one row its answer.
        Raises:
            InputError: the rows do not fit the model; says what the endpoint says.
            LocalError: the endpoint failed, or is stopped; holds the end of the log.
        """
        plain = json_rows(rows)
        if is_one_row(rows):
            return self._asked(plain[0])
        answers: list[Any] = []
        for first in range(0, len(plain), _ROWS_A_REQUEST):
            answers += self._asked({"instances": plain[first : first + _ROWS_A_REQUEST]})["predictions"]
        return answers

    def logs(self) -> str:
        """Return what the function wrote and a line for each request, as `bareboat serve` shows them."""
        return "".join(self._lines)

    def stop(self) -> None:
        """End it: the port, every process, the temporary folder. What is stopped stays so."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "" if self.is_running else ", stopped"
        return f"<bareboat.serve: POST {self.url}, {self.artifact.size_mb:.3f} MB{state}>"

    def _repr_html_(self) -> str:
        """Show the route, the request that it answers, and the notes."""
        body = json.dumps(self.sample, ensure_ascii=False)
        quoted = body.replace("'", "'\\''")
        command = f"curl -H 'Content-Type: application/json' -d '{quoted}' {self.url}"
        state = "" if self.is_running else " (stopped)"
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f'<div><p><b>POST <a href="{html.escape(self.url)}">{html.escape(self.url)}</a></b>{state}, '
            f"artifact {self.artifact.size_mb:.3f} MB</p><pre>{html.escape(command)}</pre>"
            f"{f'<ul>{notes}</ul>' if notes else ''}</div>"
        )

    def _announced(self) -> str:
        """Return the URL that `bareboat serve --json` writes when it listens."""
        assert self._process.stdout is not None
        told = ""
        timer = threading.Timer(_READY_S, self._process.kill)
        timer.start()
        try:
            for line in self._process.stdout:
                told += line
                with contextlib.suppress(ValueError):
                    document = json.loads(told)
                    if "url" in document:
                        return str(document["url"])
                    break  # an error, as a document
        finally:
            timer.cancel()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ending_s())
        raise LocalError(f"bareboat serve did not start: {(self.logs() + told)[-1000:]}", expected="a URL")

    def _asked(self, document: Any) -> Any:
        try:
            body = json.dumps(document, allow_nan=False)
        except ValueError:
            raise InputError("a row holds infinity, which JSON cannot say", expected="finite numbers") from None
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        connection = HTTPConnection(parts.hostname, parts.port, timeout=_READY_S)
        try:
            connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            said = "is stopped" if not self.is_running else f"gave no answer: {error}"
            raise LocalError(f"{self.url} {said}", fix="bareboat.serve(model) starts another one") from error
        finally:
            connection.close()
        if response.status == 400:
            raise InputError(f"the endpoint refused the rows: {text}", where=self.url)
        if response.status != 200:
            raise LocalError(f"the answer was {response.status} {text}\n{self.logs()[-2000:]}", where=self.url)
        return json.loads(text)


def _started(project: Path, port: int, mark: str) -> subprocess.Popen[str]:
    """Start `bareboat serve`; it is ended with this process, however that ends."""
    name, _, value = mark.partition("=")
    kept = {key: text for key, text in os.environ.items() if not key.startswith("BAREBOAT_")}
    command = [sys.executable, "-m", "bareboat", "serve", "--json", "--port", str(port), "--config", str(project)]
    process = subprocess.Popen(
        command,
        env={**kept, name: value, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # interrupting a cell ends the cell
    )
    orphans.add(process.pid, mark.encode())
    return process


def _read(stream: IO[str], lines: deque[str]) -> None:
    """Keep what comes, in a thread of its own; in parts, since lines may be long."""
    with contextlib.suppress(ValueError):  # closed at the end
        for line in stream:
            lines.append(line)


def _ended(process: subprocess.Popen[str], folder: Path) -> None:
    """End `bareboat serve` in good order, or else at once, and remove its folder."""
    process.terminate()
    try:
        process.wait(_ending_s())
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    orphans.end(process.pid)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    shutil.rmtree(folder, ignore_errors=True)


def _ending_s() -> float:
    """Return how long `bareboat serve` may take to end, by its own rule and a little more."""
    from bareboat.local.http import GRACE_S  # imported late: nothing else of the local cloud is needed here

    return GRACE_S + 2.0
