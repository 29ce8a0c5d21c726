"""The seed project's file, unedited, beside what the framework itself made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from bareboat.service import json_schema, load_service
from bareboat.service.compose import compose
from bareboat.service.nodes import plain

# As the issue quotes it from the tutorial of 2021
SEED = """\
service: predict

frameworkVersion: '2'

provider:
  name: aws
  runtime: python3.7
  lambdaHashingVersion: 20201221

functions:
  predict:
    handler: handler.predict
    package:
      patterns:
        - lgb.model
    events:
      - httpApi:
          path: /predict
          method: post

plugins:
  - serverless-python-requirements

custom:
  pythonRequirements:
    dockerizePip: non-linux
    dockerExtraFiles:
      - /usr/lib64/libgomp.so.1
    zip: true
"""


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    (tmp_path / "serverless.yml").write_text(SEED)
    (tmp_path / "handler.py").write_text("def predict(event, context): ...\n")
    (tmp_path / "lgb.model").write_text("tree\n")
    return tmp_path


def test_the_seed_loads_unedited(seed):
    service = load_service(seed, env={})

    function = service.functions["predict"]
    assert (service.name, service.provider.stage, service.provider.region) == ("predict", "dev", "us-east-1")
    assert (function.handler, function.runtime, function.python) == ("handler.predict", "python3.7", "3.13")
    assert (function.memory_mb, function.timeout_s, function.architecture) == (1024, 6, "x86_64")
    assert [event.route_key for event in function.events] == ["POST /predict"]
    assert function.package.patterns == ("lgb.model",)
    assert service.plugins == ("serverless-python-requirements",)
    assert service.python_requirements.zip is True
    assert service.python_requirements.docker_extra_files == ("/usr/lib64/libgomp.so.1",)


def test_the_seed_says_what_has_no_meaning_and_what_is_retired(seed):
    notes = load_service(seed, env={}).notes

    assert [(note.level, note.where.split(":")[1]) for note in notes] == [
        ("info", "3"),
        ("warning", "7"),
        ("info", "8"),
        ("info", "22"),
        ("info", "26"),
        ("info", "27"),
        ("info", "29"),
    ]
    assert "python3.13" in notes[1].text


def test_the_seed_is_valid_for_editors(seed):
    document = plain(compose(SEED.encode(), "serverless.yml"))

    jsonschema.Draft202012Validator(json_schema()).validate(document)


def test_the_seed_has_the_names_and_sizes_that_osls_gave_it(oracle, tmp_path):
    text = (oracle / "osls-4.3.1_seed_serverless.yml").read_text()
    (tmp_path / "serverless.yml").write_text(text)
    (tmp_path / "handler.py").write_text("")
    template = json.loads((oracle / "osls-4.3.1_seed_update-stack.json").read_text())
    resources = {resource["Type"]: resource["Properties"] for resource in template["Resources"].values()}

    service = load_service(tmp_path, env={})

    function, wanted = service.functions["predict"], resources["AWS::Lambda::Function"]
    assert function.full_name == wanted["FunctionName"]
    assert (function.memory_mb, function.timeout_s) == (wanted["MemorySize"], wanted["Timeout"])
    assert (function.handler, function.runtime) == (wanted["Handler"], wanted["Runtime"])
    assert function.events[0].route_key == resources["AWS::ApiGatewayV2::Route"]["RouteKey"]
    assert function.http_api_payload == resources["AWS::ApiGatewayV2::Integration"]["PayloadFormatVersion"]
    assert resources["AWS::ApiGatewayV2::Api"]["Name"] == f"{service.provider.stage}-{service.name}"
    assert service.provider.region == "ap-southeast-1"


def test_loading_imports_no_more_than_it_needs(seed):
    code = (
        "import sys; from pathlib import Path; from bareboat.service import load_service; "
        "load_service(Path(sys.argv[1])); print(*sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(seed)], capture_output=True, text=True, check=True, timeout=60
    )

    loaded = set(done.stdout.split())
    assert "bareboat.service.load" in loaded
    assert not loaded & {"msgspec", "dotenv", "difflib", "jsonschema", "subprocess", "click", "rich", "boto3", "numpy"}


def test_the_model_alone_needs_no_yaml():
    code = "import sys; import bareboat.service.model; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert not set(done.stdout.split()) & {"yaml", "msgspec"}
