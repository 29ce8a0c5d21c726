"""What slimming must not take away: found by the samples, kept, named. The packages fail when called, not imported."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import Artifact, build, unpack
from bareboat.artifact.model import MANIFEST
from bareboat.errors import PackagingError
from bareboat.packaging.target import host_target
from bareboat.service import load_service

from .conftest import Project

TESTS = """
import importlib, os

def table():
    with open(os.path.join(os.path.dirname(__file__), "tests", "table.json")) as file:
        return file.read()

def helper():
    return importlib.import_module("lazy.tests.helper").VALUE

def documented():
    '''Eleven.'''
    return len(documented.__doc__)
"""
LAZY = {
    "lazy/__init__.py": TESTS,
    "lazy/tests/__init__.py": "",
    "lazy/tests/helper.py": "VALUE = 7\n",
    "lazy/tests/table.json": "[1, 2]",
    **{f"lazy/tests/test_{number}.py": "import nowhere\n" for number in range(40)},
}
SAMPLES = "\n    samples: [event.json]"


def wheel(name: str, files: dict[str, str | bytes], entry_points: str = "") -> bytes:
    info = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": entry_points} if entry_points else {}),
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return written.getvalue()


Handled = Callable[..., Artifact]


@pytest.fixture
def handled(project: Project, python: str) -> Handled:
    """Build a project whose handler's body is given and whose requirement is a wheel of its own."""

    def make(
        body: str, *, files: dict[str, str | bytes] = LAZY, slim: str = "", samples: str = SAMPLES,
        architecture: str = host_target(python).architecture, entry_points: str = "", event: str = "{}", head: str = "",
    ) -> Artifact:  # fmt: skip
        service = project(
            "handler: handler.predict" + samples,
            more=f"custom: {{bareboat: {{{slim}}}}}\n",
            architecture=architecture,
            handler__py=f"{head}\nimport lazy\ndef predict(event, context):\n    {body}\n",
            requirements__txt="./wheels/lazy-1.0-py3-none-any.whl\n",
            **{"wheels/lazy-1.0-py3-none-any.whl": wheel("lazy", files, entry_points)},
            **({"event.json": event} if event else {}),
        )
        return build(service)["predict"]

    return make


def kept(artifact: Artifact) -> list[str]:
    return [one["path"] for one in artifact.manifest["proof"]["kept"]]


def names(artifact: Artifact) -> set[str]:
    with zipfile.ZipFile(artifact.path) as archive:
        return set(archive.namelist())


def texts(artifact: Artifact) -> str:
    return "\n".join(note.text for note in artifact.notes)


def test_a_file_that_is_only_opened_when_called_is_kept_and_named(handled: Handled) -> None:
    artifact = handled("return lazy.table()")

    assert kept(artifact) == ["lazy/tests/table.json"]
    assert "lazy/tests/table.json" in names(artifact)
    assert "lazy/tests/test_1.py" not in names(artifact)
    (note,) = [note.text for note in artifact.notes if "kept" in note.text]
    assert note == (
        "lazy/tests/table.json is kept (tests of lazy): without it functions.predict answers event.json otherwise: "
        "FileNotFoundError: [Errno 2] No such file or directory: '/var/task/lazy/tests/table.json' (lazy/__init__.py:5)"
    )


def test_modules_that_are_only_imported_when_called_are_kept_with_bytecode(handled: Handled, python: str) -> None:
    artifact = handled("return [lazy.helper(), lazy.table()]")

    assert sorted(kept(artifact)) == ["lazy/tests/helper.py", "lazy/tests/table.json"]
    assert "lazy/tests/__init__.py" in names(artifact)  # answers do not tell, but it belongs to the module
    bytecode = f"lazy/tests/__pycache__/helper.cpython-{python.replace('.', '')}.pyc"
    assert bytecode in names(artifact)
    (size,) = [size for size in artifact.manifest["sizes"] if size["name"] == "lazy"]
    assert size["files"] == len([name for name in names(artifact) if name.startswith(("lazy/", "lazy-"))])


def test_metadata_that_is_read_when_called_is_kept(handled: Handled) -> None:
    body = "from importlib import metadata; return sorted(map(str, metadata.files('lazy')))[-1]"

    assert kept(handled(body)) == ["lazy-1.0.dist-info/RECORD"]


def test_entry_points_work_at_every_level(handled: Handled) -> None:
    points = "[own]\nfirst = lazy.plugin:value\n"
    body = "from importlib import metadata; (p,) = metadata.entry_points(group='own'); return p.load()"
    files: dict[str, str | bytes] = {
        "lazy/__init__.py": "",
        "lazy/plugin.py": "value = 3\n",
        "lazy/never.py": "x = 1\n",
    }

    artifact = handled(body, files=files, entry_points=points, slim="slim: max")

    assert kept(artifact) == []
    assert "lazy/plugin.py" in names(artifact)
    assert "lazy/never.py" not in names(artifact)


def test_max_takes_comments_and_unused_modules_and_keeps_a_docstring_that_is_read(handled: Handled) -> None:
    files: dict[str, str | bytes] = {
        **LAZY,
        "lazy/__init__.py": TESTS + "from lazy import more\n",
        "lazy/more.py": '"""Long."""\n# and a comment\nx = 1\n',
        "lazy/unused.py": "x = 1\n",
    }

    artifact = handled("return lazy.documented()", files=files, slim="slim: max")

    assert kept(artifact) == ["lazy/__init__.py"]
    with zipfile.ZipFile(artifact.path) as archive:
        assert b"Eleven" in archive.read("lazy/__init__.py")
        assert b"comment" not in archive.read("lazy/more.py")
    assert "lazy/unused.py" not in names(artifact)
    assert artifact.manifest["proof"]["level"] == "max"


def test_what_is_used_by_its_name_alone_is_found_by_trying(handled: Handled) -> None:
    body = "import os; return os.path.exists('lazy/tests/table.json')"

    artifact = handled(body)

    assert kept(artifact) == ["lazy/tests/table.json"]
    assert "it answers otherwise in the answer" in texts(artifact)


def test_a_library_that_is_loaded_when_called_stays_at_max(handled: Handled, compiled: Callable[[str], bytes]) -> None:
    files: dict[str, str | bytes] = {
        "lazy/__init__.py": "import ctypes\ndef call():\n    return ctypes.CDLL(__file__[:-11] + 'native/x.so').x()\n",
        "lazy/native/x.so": compiled("libc.so.6"),
        "lazy/native/y.so": compiled("libc.so.6"),
    }
    with pytest.raises(PackagingError, match=r"functions\.predict fails on event\.json: (OSError|AttributeError)"):
        handled("return lazy.call()", files=files, slim="slim: max")  # x.so wants dep(), which libc lacks

    artifact = handled(
        "import ctypes; ctypes.CDLL('lazy/native/x.so', mode=1); return 1", files=files, slim="slim: max"
    )

    assert "lazy/native/x.so" in names(artifact)
    assert "lazy/native/y.so" not in names(artifact)


def test_the_same_content_is_proved_once(handled: Handled, monkeypatch: pytest.MonkeyPatch) -> None:
    from bareboat.artifact.proof.run import Runs

    first = handled("return lazy.table()")
    for path in first.path.parent.glob("own-*"):
        path.unlink()
    monkeypatch.setattr(Runs, "run", None)

    second = handled("return lazy.table()")

    assert (second.digest, second.notes) == (first.digest, first.notes)


def test_a_changed_sample_is_proved_anew(handled: Handled) -> None:
    body = "return lazy.table() if event.get('all') else 1"

    assert kept(handled(body)) == []
    assert kept(handled(body, event='{"all": true}')) == ["lazy/tests/table.json"]


def test_what_differs_from_run_to_run_is_said_and_the_rest_compared(handled: Handled) -> None:
    body = "import random; return {'body': [lazy.table(), random.random()]}"

    artifact = handled(body)

    assert kept(artifact) == ["lazy/tests/table.json"]
    artifact = handled("import random; return {'x': random.random()}")
    assert kept(artifact) == []
    assert "functions.predict answers event.json otherwise in every run: in x. The rest was compared" in texts(artifact)


def test_a_handler_that_fails_slimmed_or_not_is_said_to_be_unproved(handled: Handled) -> None:
    artifact = handled("return event['body']")

    assert (
        "functions.predict fails on event.json (with whole packages too, so that nothing is proved): KeyError"
        in texts(artifact)
    )
    assert artifact.manifest["proof"]["samples"] == {"predict": []}
    artifact = handled("return 1", head="x = = 1")
    assert texts(artifact).rstrip().endswith("SyntaxError: invalid syntax (handler.py, line 1)")
    artifact = handled("return 1", head="raise ValueError('no database')")
    assert "so that nothing is proved): ValueError: no database (handler.py:1)" in texts(artifact)
    assert artifact.manifest["proof"] is None


def test_without_samples_the_import_is_proved_and_a_note_says_how_to_add_them(handled: Handled) -> None:
    importing = "import importlib; importlib.import_module('lazy.tests.helper')"

    artifact = handled("return event['x']", samples="", head=importing, event="")

    assert artifact.manifest["proof"]["samples"] == {"predict": []}
    assert kept(artifact) == ["lazy/tests/helper.py"]
    assert "without it functions.predict cannot be imported: ModuleNotFoundError" in texts(artifact)
    assert "write an event into event.json and name it: functions.predict.samples: [event.json]" in texts(artifact)


def test_an_event_where_templates_put_it_is_a_sample(handled: Handled) -> None:
    artifact = handled("return 1", samples="")

    assert artifact.manifest["proof"]["samples"] == {"predict": ["event.json"]}


@pytest.mark.parametrize(
    ("body", "samples", "event", "said"),
    [
        ("return 1", "", "", "functions.predict has no samples"),
        ("return 1", SAMPLES, "{", "event.json of functions.predict: it is not JSON"),
        ("return event['x']", SAMPLES, "{}", "functions.predict fails on event.json: KeyError: 'x'"),
        ("return {'statusCode': 400}", SAMPLES, "{}", "functions.predict refuses every sample (status 400)"),
    ],
)
def test_max_is_refused_where_nothing_proves_it(
    handled: Handled, body: str, samples: str, event: str, said: str
) -> None:
    with pytest.raises(PackagingError) as caught:
        handled(body, samples=samples, event=event, slim="slim: max")

    assert f"slim: max needs a proof: {said}" in str(caught.value)
    assert "--slim safe" in str(caught.value)
    if "fails on" in said:
        assert "bareboat invoke local --path event.json shows what it needs" in str(caught.value)


def test_a_proof_that_is_turned_off_runs_nothing(handled: Handled, tmp_path: Path) -> None:
    note = tmp_path / "ran"

    artifact = handled("return 1", head=f"open({str(note)!r}, 'w')", slim="proof: false")

    assert not note.exists()
    assert artifact.manifest["proof"] is None
    with pytest.raises(PackagingError, match=r"custom\.bareboat\.proof is false"):
        handled("return 1", slim="proof: false, slim: max")


def test_what_is_over_the_limit_is_told_before_anything_is_run(
    handled: Handled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object, **__: object) -> None:
        raise PackagingError("too large")

    note = tmp_path / "ran"
    monkeypatch.setattr("bareboat.artifact.proof.slimmed.refuse_over_limit", too_large)

    with pytest.raises(PackagingError, match="too large"):
        handled("return 1", head=f"open({str(note)!r}, 'w')")

    assert not note.exists()


def test_an_archive_for_another_cpu_is_proved_on_its_twin(handled: Handled, python: str) -> None:
    here = host_target(python)
    other = "arm64" if here.architecture == "x86_64" else "x86_64"

    artifact = handled("return lazy.table()", architecture=other)

    assert artifact.target.architecture == other
    assert artifact.manifest["proof"]["proved_on"] == f"{here.system} {here.architecture}"
    with zipfile.ZipFile(artifact.path) as archive:  # which is to have the same bytes wherever it is made
        assert set(json.loads(archive.read(MANIFEST))["proof"]) == {"level", "samples", "kept"}
    assert kept(artifact) == ["lazy/tests/table.json"]
    assert "lazy/tests/table.json" in names(artifact)


def test_nothing_is_run_where_nothing_was_taken_away(project: Project, tmp_path: Path) -> None:
    note = tmp_path / "ran"

    artifact = build(project(handler__py=f"open({str(note)!r}, 'w')\ndef predict(event, context): return 1\n"))[
        "predict"
    ]

    assert not note.exists()
    assert artifact.manifest["proof"] is None


@pytest.mark.parametrize("level", ["safe", "max"])
def test_the_answer_of_the_kept_artifact_is_that_of_the_whole_one(handled: Handled, python: str, level: str) -> None:
    from bareboat.packaging.interpreters import find_python

    folder = unpack(handled("return [lazy.table(), lazy.helper(), lazy.documented()]", slim=f"slim: {level}"))
    interpreter = find_python(python)
    assert interpreter is not None

    code = "import handler, json; print(json.dumps(handler.predict({}, None)))"
    done = subprocess.run(
        [str(interpreter.path), "-S", "-B", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stdout) == ["[1, 2]", 7, 7]


STATE = """
import os, subprocess
FILE = os.path.join(os.path.dirname(__file__), "state.json")

def write(path=FILE, mode="w"):
    try:
        with open(path, mode) as file:
            file.write("BROKEN")
    except OSError as error:
        return os.strerror(error.errno)
    return "written"

def change(call, *args):
    try:
        call(*args)
    except OSError as error:
        return os.strerror(error.errno)
    return "changed"

def force():
    subprocess.run(["sh", "-c", f"printf BROKEN >> {FILE}; rm {FILE}.gone"], stderr=subprocess.DEVNULL)
"""
STATEFUL = {"lazy/__init__.py": STATE, "lazy/state.json": "{}", "lazy/tests/__init__.py": "1\n"}


@pytest.mark.skipif(sys.platform == "win32", reason="sh")
def test_what_a_handler_writes_into_its_packages_reaches_neither_caches_nor_archives(
    handled: Handled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    body = "return [lazy.write(), lazy.write(mode='a'), lazy.force()]"

    first = handled(body, files=STATEFUL)
    shutil.rmtree(first.path.parent)
    again = handled(body + " or 1", files=STATEFUL)  # a new handler, which is proved anew
    shutil.rmtree(first.path.parent)
    shutil.rmtree(tmp_path / "cache")
    anew = handled(body, files=STATEFUL)

    assert {path.read_text() for path in (tmp_path / "uv").rglob("state.json")} == {"{}"}
    for artifact in (again, anew):
        assert artifact.manifest["proof"]["samples"] == {"predict": ["event.json"]}
    with zipfile.ZipFile(anew.path) as archive:
        assert archive.read("lazy/state.json") == b"{}"
    assert first.digest == anew.digest


def test_the_task_root_is_read_only_as_on_lambda(handled: Handled) -> None:
    calls = {
        "lazy.write()": "Read-only file system",
        "lazy.write(mode='r+')": "Read-only file system",
        "lazy.write('new')": "Read-only file system",
        "lazy.write('nowhere/new')": "No such file or directory",
        "lazy.write(mode='x')": "File exists",
        "lazy.change(os.mkdir, 'lazy')": "File exists",
        "lazy.change(os.mkdir, 'new')": "Read-only file system",
        "lazy.change(os.remove, lazy.FILE)": "Read-only file system",
        "lazy.change(os.rename, 'handler.py', 'other.py')": "Read-only file system",
        "lazy.change(os.utime, 'nowhere')": "No such file or directory",
        "lazy.change(os.close, os.open('handler.py', os.O_RDONLY | os.O_CREAT))": "changed",
        "lazy.write(os.path.join(os.environ['TMPDIR'], 'f'))": "written",
    }
    found = f"[{', '.join(calls)}]"

    artifact = handled(f"assert {found} == {list(calls.values())!r}, {found}", files=STATEFUL, head="import os")

    assert artifact.manifest["proof"]["samples"] == {"predict": ["event.json"]}, texts(artifact)


def test_a_handler_that_must_write_beside_itself_is_told(handled: Handled) -> None:
    artifact = handled("open('cache.json', 'w')", files=STATEFUL)

    assert "OSError: [Errno 30] Read-only file system: 'cache.json'" in texts(artifact)


def test_two_functions_of_one_archive_are_both_proved(project: Project) -> None:
    handler: dict[str, Any] = {
        "handler__py": "import lazy\ndef predict(e, c): return 1\ndef other(e, c): return lazy.table()\n",
        "requirements__txt": "./wheels/lazy-1.0-py3-none-any.whl\n",
        "wheels/lazy-1.0-py3-none-any.whl": wheel("lazy", LAZY),
        "event.json": "{}",
    }
    service = project(
        "handler: handler.predict" + SAMPLES,
        more="  other:\n    handler: handler.other\n    samples: [event.json, {a: 1}]\n",
        **handler,
    )

    artifact = build(service)["other"]

    assert artifact.manifest["proof"]["samples"] == {"predict": ["event.json"], "other": ["event.json", "samples[1]"]}
    (culprit,) = artifact.manifest["proof"]["kept"]
    assert (culprit["function"], culprit["path"]) == ("other", "lazy/tests/table.json")


def test_what_a_layer_brings_is_there_in_the_proof(project: Project) -> None:
    service = project(
        "handler: handler.predict\n    samples: [{}]\n    layers: [{Ref: SharedLambdaLayer}]",
        more="layers:\n  shared: {requirements: [idna==3.10]}\n",
        handler__py="import idna, lazy\ndef predict(event, context): return [lazy.table(), idna.__file__]\n",
        requirements__txt="./wheels/lazy-1.0-py3-none-any.whl\n",
        **{"wheels/lazy-1.0-py3-none-any.whl": wheel("lazy", LAZY)},
    )

    artifact = build(service)["predict"]

    assert kept(artifact) == ["lazy/tests/table.json"]
    assert not [name for name in names(artifact) if name.startswith("idna/")]


BUILD = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as the command line has it
from bareboat.artifact import build
from bareboat.service import load_service
print(build(load_service(pathlib.Path(sys.argv[1]), env={}))["predict"].digest)
"""
HANGING = """
import os, pathlib, time, lazy
pathlib.Path(os.environ["NOTE"], str(os.getpid())).touch()
time.sleep(600)
"""


def lazy_project(project: Project, folder: str, handler: str, more: str = "") -> Path:
    service = project(
        "handler: handler.predict" + more, folder=folder, handler__py=handler,
        requirements__txt="./wheels/lazy-1.0-py3-none-any.whl\n",
        **{"wheels/lazy-1.0-py3-none-any.whl": wheel("lazy", LAZY)},
    )  # fmt: skip
    return service.path


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_a_build_that_is_ended_in_the_middle_of_a_proof_leaves_nothing(
    project: Project, tmp_path: Path, number: str
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    path = lazy_project(project, "own", HANGING, f"\n    environment: {{NOTE: {notes}}}")
    tool = subprocess.Popen([sys.executable, "-c", BUILD, str(path)], stderr=subprocess.DEVNULL)
    while len(list(notes.iterdir())) < 2:
        assert tool.poll() is None
        time.sleep(0.02)

    tool.send_signal(getattr(signal, number))
    tool.wait(20)

    latest = time.monotonic() + 10
    pids = [note.name for note in notes.iterdir()]
    while any(map(alive, pids)) and time.monotonic() < latest:
        time.sleep(0.02)
    assert not any(map(alive, pids))
    output = path.parent / ".bareboat"
    assert not list(output.glob("*.zip"))
    (path.parent / "handler.py").write_text("def predict(event, context): return 1\n")
    build(load_service(path, env={}))
    assert not list(output.glob(".tmp-*"))


def test_a_cache_that_several_builds_fill_at_once_serves_them_all(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    handler = "import lazy\ndef predict(event, context): return lazy.table()\n"
    paths = [lazy_project(project, f"own{number}", handler, SAMPLES.replace("event.json", "{}")) for number in range(3)]
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "new"))

    running = [
        subprocess.Popen([sys.executable, "-c", BUILD, str(path)], stdout=subprocess.PIPE, text=True) for path in paths
    ]
    digests = {process.communicate(timeout=60)[0] for process in running}

    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(digests) == 1
    left = [path.name for path in (tmp_path / "new").rglob(".tmp-*")]
    assert left == []


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE stands in for a full disk")
def test_a_disk_that_is_full_while_it_is_laid_out_is_an_error(project: Project) -> None:
    handler = "import lazy\ndef predict(event, context): return 1\n"
    path = lazy_project(project, "own", handler + f"X = '{'x' * 300_000}'\n")
    code = BUILD.replace("print(", "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000,) * 2)\nprint(")

    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert "room on the disk" in done.stderr
    assert not list((path.parent / ".bareboat").glob(".tmp-*"))
