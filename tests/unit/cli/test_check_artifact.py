"""`bareboat check --artifact`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

YML = """\
service: boat
provider: {name: aws, runtime: python3.12, architecture: arm64}
functions:
  go: {handler: app.go}
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        info = zipfile.ZipInfo("app.py")
        info.external_attr = 0o100644 << 16
        made.writestr(info, "def go(event, context): return event\n")
    return tmp_path / "a.zip"


def test_a_fit_artifact_is_told_on_stdout(run, archive):
    done = run("check", "--artifact", "a.zip")

    assert done.exit_code == 0
    assert done.stdout.startswith("a.zip: 0.000 MB, 0.000 MB unzipped, 1 file, 0 native files, for python3.13")
    assert done.stdout.endswith("nothing stands against it on Lambda\n")


def test_what_would_fail_is_an_error_and_the_exit_code_is_1(run, archive):
    Path("serverless.yml").write_text(YML.replace("app.go", "other.go"), encoding="utf-8")
    Path("other.py").write_text("def go(event, context): return event\n", encoding="utf-8")

    done = run("check", "--artifact", "a.zip")

    assert done.exit_code == 1
    assert "error: functions.go.handler is other.go, and there is no other.py in the artifact" in done.stderr
    assert "for python3.12 on linux arm64 (known from serverless.yml)" in done.stdout
    assert done.stdout.endswith("1 problem\n")


def test_json_has_the_problems_and_nothing_else(run, archive):
    Path("serverless.yml").write_text(YML.replace("app.go", "other.go"), encoding="utf-8")
    Path("other.py").write_text("def go(event, context): return event\n", encoding="utf-8")

    done = run("check", "--artifact", "a.zip", "--json", "--runtime", "python3.14", "--architecture", "x86_64")

    said = json.loads(done.stdout)
    assert (done.exit_code, said["fit"], said["target"]) == (1, False, "python3.14 on linux x86_64")
    assert said["problems"][0]["expected"] == "other.py or other/__init__.py"


def test_wrong_use_is_told(run, archive):
    assert run("check", "--artifact", "a.zip", "--runtime", "nodejs20.x").exit_code == 2
    assert run("check", "--artifact", "nothing.zip").exit_code == 2
    assert run("check", "--runtime", "python3.13").exit_code == 2
    assert run("check", "--layer", "a.zip").exit_code == 2


def test_a_file_that_is_no_zip_is_refused(run, archive):
    Path("b.zip").write_bytes(b"PK no zip")

    done = run("check", "--artifact", "b.zip")

    assert done.exit_code == 1
    assert "b.zip: is no zip, or is cut off" in done.stderr


def test_layers_that_were_built_count_and_others_are_told(run, archive):
    layered = YML.replace("app.go}", "lib.go, layers: [code, 'arn:aws:lambda:us-east-1:1:layer:l:1']}")
    Path("serverless.yml").write_text(f"{layered}layers: {{code: {{path: code}}}}\n", encoding="utf-8")
    Path("code/python").mkdir(parents=True)
    Path("code/python/lib.py").write_text("def go(event, context): return event\n", encoding="utf-8")

    before = run("check", "--artifact", "a.zip")
    packaged = run("package")
    after = run("check", "--artifact", "a.zip")
    named = run("check", "--artifact", "a.zip", "--layer", "code")
    (built,) = Path(".bareboat").glob("*-layer.code-*.zip")
    layer = run("check", "--artifact", str(built))

    assert packaged.exit_code == 0, packaged.stderr
    assert "functions.go has the layer code, which is not built for python3.12 on linux arm64" in before.stderr
    assert "has the layer code" not in after.stderr
    assert "functions.go has the layer arn:aws:lambda:us-east-1:1:layer:l:1: what lies in it" in after.stderr
    assert layer.exit_code == 0, layer.stderr  # it has no handler, nor needs one
    assert (after.exit_code, named.exit_code, named.stderr.count("layer")) == (0, 0, 0)
