"""Changes of a project that is being served: what the very next request gets, and what stays."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bareboat.errors import LocalError
from bareboat.project import find_template

from .conftest import CONFIG, FILES, HANDLER, OTHER, build, wait_for


def test_the_next_request_has_the_new_code(project):
    before = project.get()

    project.write(helper="WORD = 'two'\n")

    assert before.startswith("one ")
    assert project.word() == "two"
    project.wait_for_reloads(1)
    (reload,) = project.reloads
    assert (reload.error, reload.changed, reload.functions, reload.generation) == ("", ("helper.py",), ("hello",), 2)


def test_a_function_that_has_not_changed_keeps_its_processes(project):
    other, hello = project.get("/other"), project.get()

    project.write(helper="WORD = 'two'\n")

    assert project.get() != hello
    assert project.get("/other") == other
    assert [(one.function, one.generation) for one in project.invocations] == [
        ("other", 1), ("hello", 1), ("hello", 2), ("other", 1),
    ]  # fmt: skip


def test_the_process_is_through_its_init_before_the_request_comes_to_it(project):
    project.get()
    project.write(helper="WORD = 'two'\n")

    started = project.invocations[-1].init_ms
    project.get()

    assert started is not None
    assert project.invocations[-1].init_ms is not None  # as on Lambda: the first invocation reports it
    assert project.invocations[-1].duration_ms < project.invocations[-1].init_ms + 1000


def test_the_system_tells_of_a_change_that_no_request_looks_for(project):
    wait_for(lambda: any(thread.name == "bareboat-watcher" for thread in threading.enumerate()))
    time.sleep(0.3)  # it needs a moment to begin

    project.write(helper="WORD = 'two'\n")

    project.wait_for_reloads(1)
    assert project.reloads[0].functions == ("hello",)


def test_routes_and_settings_follow_serverless_yml(project):
    assert project.get("/new").startswith("404")

    project.write(serverless=CONFIG.replace("GET /hello", "GET /new"))

    assert project.word("/new") == "one"
    assert project.get("/hello").startswith("404")


def test_a_new_function_and_a_new_door_come_without_a_restart(project):
    more = CONFIG + "    url: true\n  third:\n    handler: third.third\n    events: [{httpApi: GET /third}]\n"
    project.write(third="def third(event, context):\n    return 'three'\n", serverless=more)

    assert project.get("/third") == "three"
    assert project.client.get(project.cloud.urls["url:other"]).text.startswith("one ")

    project.write(serverless=CONFIG)
    assert project.get("/third").startswith("404")
    wait_for(lambda: "url:other" not in project.cloud.urls)


def test_a_request_under_way_ends_on_the_version_that_it_began_with(project, tmp_path):
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(project.client.get, "/other", params={"folder": str(tmp_path)})
        wait_for((tmp_path / "began").exists)

        project.write(other=OTHER.replace("one ", "two "))
        second = project.word("/other")
        (tmp_path / "go").touch()

        assert (second, first.result(30).text.split()[0]) == ("two", "one")
    wait_for(lambda: project.cloud.processes == 1)


BROKEN = {
    "syntax": ("handler", "def hello(event, context:\n", "handler.py:1", "SyntaxError"),
    "module": ("handler", HANDLER.replace("import helper", "import nothing_there"), "handler.py:2", "nothing_there"),
    "import": ("helper", "WORD = 'x'\n\nraise ValueError('boom')\n", "helper.py:3", "ValueError: boom"),
    "name": ("handler", HANDLER.replace("def hello", "def hallo"), "", "hello"),
    "yaml": ("serverless", CONFIG + "bad: [\n", "serverless.yml:", "YAML"),
    "key": ("serverless", CONFIG.replace("handler: handler", "handlr: handler"), "serverless.yml:5", "handlr"),
    "file": ("serverless", CONFIG.replace("handler.hello", "gone.hello"), "serverless.yml:5", "gone"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_leaves_the_last_good_version_and_says_why(project, kind):
    module, text, where, words = BROKEN[kind]
    before = project.get()

    project.write(**{module: text})
    after = project.get()
    project.wait_for_reloads(1)

    assert after == before
    (reload,) = project.reloads
    assert words in reload.error
    assert reload.where.removeprefix(f"{project.folder}/").startswith(where)
    assert (reload.generation, reload.functions) == (1, ())

    mended = FILES["serverless.yml" if module == "serverless" else f"{module}.py"]
    project.write(**{module: mended})
    assert project.word() == "one"
    project.wait_for_reloads(2)
    assert project.reloads[-1].error == ""


def test_a_deleted_serverless_yml_changes_nothing_until_it_is_back(project):
    before = project.get()

    (project.folder / "serverless.yml").unlink()
    assert project.get() == before
    project.wait_for_reloads(1)
    assert "serverless.yml" in project.reloads[0].error

    project.write(serverless=CONFIG, helper="WORD = 'two'\n")
    assert project.word() == "two"


def test_a_model_that_is_damaged_leaves_the_last_good_one(serve):
    template = find_template("lightgbm-iris")
    files = {path.name: path.read_text() for path in template.folder.iterdir() if path.suffix in {".model", ".json"}}
    config = f"""\
service: iris
provider: {{name: aws, runtime: python{CONFIG.split("python")[1][:4]}}}
functions:
  predict:
    model: lgb.model
    events: [{{httpApi: POST /predict}}]
"""
    project = serve({**files, "serverless.yml": config})
    model = project.folder / "lgb.model"

    def ask() -> str:
        names = next(line for line in files["lgb.model"].splitlines() if line.startswith("feature_names="))
        time.sleep(0.02)
        row = dict.fromkeys(names.partition("=")[2].split(), 5)
        return project.client.post("/predict", json=row).text

    before = ask()
    model.write_text(files["lgb.model"][:3000])
    damaged = ask()
    project.wait_for_reloads(1)
    project.folder.joinpath("serverless.yml").write_text(config + "    labels: [a, b, c]\n")
    model.write_text(files["lgb.model"])

    assert damaged == before
    assert "proba" in before
    assert "lgb.model" in project.reloads[0].where
    assert '"label": "a"' in ask() or '"label": "b"' in ask() or '"label": "c"' in ask()


def test_a_function_broken_from_the_start_is_served_with_its_error_and_heals(serve):
    project = serve({**FILES, "handler.py": "import nothing_there\n"})
    assert project.get().startswith("500")

    project.write(handler="import nothing_else\n")
    assert project.get().startswith("500")
    assert "nothing_else" in project.invocations[-1].log

    project.write(handler=HANDLER)
    assert project.word() == "one"


def test_a_file_that_is_saved_in_two_steps_counts_once(project):
    project.get()

    path = project.folder / "helper.py"
    path.write_text("WORD = 'tw")
    time.sleep(0.03)
    path.write_text("WORD = 'two'\n")

    assert project.word() == "two"
    project.wait_for_reloads(1)
    assert [reload.error for reload in project.reloads] == [""]


def test_a_file_that_an_editor_renames_into_place_is_a_change(project):
    project.get()

    temporary = project.folder / ".helper.py.swp"
    temporary.write_text("WORD = 'two'\n")
    temporary.rename(project.folder / "helper.py")

    assert project.word() == "two"


def test_many_files_that_change_at_once_are_one_change(serve):
    data = {f"data/{number}.txt": "one" for number in range(150)}
    handler = """
import pathlib

def hello(event, context):
    here = pathlib.Path(__file__).parent / "data"
    return " ".join(sorted({path.read_text() for path in here.iterdir()}))
"""
    project = serve({**FILES, **data, "handler.py": handler})
    assert project.get() == "one"

    for name in data:
        (project.folder / name).write_text("two")
    assert project.get() == "two"

    shutil.rmtree(project.folder / "data")
    (project.folder / "data" / "deep").mkdir(parents=True)
    (project.folder / "data" / "new.txt").write_text("three")
    (project.folder / "data" / "deep").rmdir()
    assert project.get() == "three"
    (project.folder / "data" / "more.txt").write_text("four")
    assert project.get() == "four three"


def test_fifty_changes_in_a_second_end_with_the_last(project):
    answers = []
    for number in range(50):
        project.write(helper=f"WORD = 'w{number}'\n")
        if number % 10 == 0:
            answers.append(project.word())
        time.sleep(0.02)

    assert project.word() == "w49"
    assert all(answer.startswith(("w", "one")) for answer in answers)
    assert not any(reload.error for reload in project.reloads)


def test_a_change_while_another_is_being_built_is_not_lost(serve):
    going, go = threading.Event(), threading.Event()
    calls = []

    def slow(service, on_step):
        calls.append(1)
        if len(calls) == 2:
            going.set()
            assert go.wait(10)
        return build(service, on_step)

    project = serve(build=slow)
    project.get()
    with ThreadPoolExecutor(1) as threads:
        project.write(helper="WORD = 'two'\n")
        answer = threads.submit(project.word)
        assert going.wait(10)
        project.write(helper="WORD = 'three'\n")
        go.set()

        assert answer.result(30) in {"one", "two", "three"}  # the first may have waited for as long as anybody does
    wait_for(lambda: project.word() == "three")


def test_what_takes_longer_is_said_and_the_last_version_answers_meanwhile(serve):
    go = threading.Event()
    calls = []

    def long(service, on_step):
        calls.append(1)
        if len(calls) > 1:
            on_step("Resolving requirements.txt")
            assert go.wait(20)
        return build(service, on_step)

    project = serve(build=long)
    before = project.get()

    project.write(helper="WORD = 'two'\n")
    during = project.get()
    go.set()
    project.wait_for_reloads(1)

    assert during == before
    assert project.notes == ["reloading: Resolving requirements.txt; the last version answers meanwhile"]
    assert project.word() == "two"


def test_what_does_not_count_is_no_change(project):
    project.get()

    for name in ("handler.py~", ".handler.py.swp", "4913", "__pycache__/x.pyc", ".git/index", "node_modules/a.js"):
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text("x")
    project.get()
    time.sleep(0.2)

    assert project.reloads == []


def test_a_file_that_is_touched_keeps_the_processes(project):
    before = project.get()

    (project.folder / "helper.py").touch()

    assert project.get() == before
    assert not any(reload.functions for reload in project.reloads)


def test_a_file_that_changes_again_and_again_is_followed_no_more(project):
    more = CONFIG.replace("data/**", "data/**, out.txt").replace("'!**', other.py", "'!**', other.py, out.txt")
    project.write(serverless=more)
    for number in range(12):
        (project.folder / "out.txt").write_text(str(number))
        project.get()

    assert len(project.notes) == 1
    assert "out.txt" in project.notes[0]
    counted = len(project.reloads)
    (project.folder / "out.txt").write_text("more")
    project.get()
    assert len(project.reloads) == counted
    project.write(helper="WORD = 'two'\n")
    assert project.word() == "two"


def test_the_files_of_what_runs_stay_and_those_of_old_versions_go(project, tmp_path):
    project.get("/other")
    unpacked = project.folder / ".bareboat" / "unpacked"
    for i in range(9):
        project.write(helper=f"WORD = 'w{i}'\n")
        assert project.word() == f"w{i}"
        for copy in unpacked.iterdir():
            with contextlib.suppress(FileNotFoundError):  # it is being removed
                os.utime(copy, (time.time() - 7200,) * 2)  # as after two hours

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(project.get, f"/other?folder={tmp_path}")  # takes the process that there is
        wait_for((tmp_path / "began").exists)
        second = project.get("/other")
        (tmp_path / "go").touch()

    assert first.result(30).startswith("one ")
    assert second.startswith("one ")
    assert second != first.result(30)
    wait_for(lambda: sum(copy.is_dir() for copy in unpacked.iterdir()) < 9)


def test_what_is_removed_under_a_running_cloud_is_made_again(project, tmp_path):
    before = project.get("/other")
    project.get()
    shutil.rmtree(project.folder / ".bareboat")

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(project.get, f"/other?folder={tmp_path}")
        wait_for((tmp_path / "began").exists)
        second = project.get("/other")
        (tmp_path / "go").touch()

    assert first.result(30) == before
    assert second.startswith("one ")
    assert second != before
    assert project.word() == "one"


def test_without_reloads_it_is_said_that_the_files_are_gone(serve, tmp_path):
    project = serve(reloads=False)
    project.run(project.cloud.ready())
    shutil.rmtree(project.folder / ".bareboat" / "unpacked")
    assert project.word("/other") == "one"  # unpacked again

    shutil.rmtree(project.folder / ".bareboat")
    with pytest.raises(LocalError, match="the files of hello are gone") as caught:
        project.run(project.cloud.invoke("hello", b"{}"))
    assert "start it again" in str(caught.value)
