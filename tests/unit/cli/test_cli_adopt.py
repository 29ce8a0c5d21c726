"""`bareboat adopt` with a stored template, which needs no AWS."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def project(tmp_path: Path, repository: Path) -> Path:
    shutil.copytree(repository / "tests" / "contract" / "aws" / "osls" / "seed", tmp_path, dirs_exist_ok=True)
    (tmp_path / "handler.py").write_text("def predict(event, context): ...\n")
    return tmp_path


def stored(project: Path, **resources: Any) -> str:
    template = json.loads((project / "template.json").read_text())
    template["Resources"] |= resources
    file = project / "stored.json"
    file.write_text(json.dumps(template))
    return str(file)


def adopt(run, project: Path, template: str, *words: str):
    return run("adopt", "--plan", "-c", str(project), "--template", template, *words)


def test_what_stays_and_changes_is_shown_and_nothing_is_lost(run, project):
    done = adopt(run, project, str(project / "template.json"))

    assert done.exit_code == 0
    assert "predict-dev, its template: deployed by Serverless 3 or osls" in done.stdout
    assert "  + PredictLambdaVersion" in done.stdout
    assert "by the templates: no data, no address and no id is lost, and nothing is replaced\n" in done.stdout
    assert "next: bareboat adopt --plan" in done.stderr


def test_a_queue_of_a_plugin_is_a_loss_with_the_lines_that_keep_it(run, project):
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}}

    done = adopt(run, project, stored(project, Jobs=queue))

    assert done.exit_code == 1
    assert "error: the first deployment would lose Jobs" in done.stderr
    lines = (
        "resources:\n  Resources:\n    Jobs:\n      Type: AWS::SQS::Queue\n      Properties:\n        QueueName: jobs\n"
    )
    assert lines in done.stdout


def test_the_document_has_all_of_it(run, project):
    done = adopt(run, project, stored(project), "--json")

    document = json.loads(done.stdout)
    assert document["safe"] is True
    assert document["origin"] == "serverless"
    assert document["asked_cloudformation"] is False
    assert {one["change"] for one in document["changes"]} == {"add", "modify", "remove"}
    assert "HttpApi" in [one["logical_id"] for one in document["stays"]]


def test_what_get_template_prints_is_a_template(run, project):
    file = project / "printed.json"
    file.write_text(json.dumps({"TemplateBody": json.loads((project / "template.json").read_text())}))

    assert adopt(run, project, str(file)).exit_code == 0


def test_yaml_is_a_template(run, project):
    import yaml

    file = project / "stored.yml"
    file.write_text(yaml.safe_dump(json.loads((project / "template.json").read_text())))

    assert adopt(run, project, str(file)).exit_code == 0


def test_what_is_no_template_is_refused(run, project):
    done = adopt(run, project, str(project / "serverless.yml"))

    assert done.exit_code == 2
    assert "serverless.yml is no template" in done.stderr


def test_another_stack_has_to_be_named_in_the_file(run, project):
    done = adopt(run, project, str(project / "template.json"), "--stack", "older")

    assert done.exit_code == 1
    assert "provider:\n  stackName: older" in done.stdout
    assert "a deployment would make a second one beside older" in done.stderr


def test_outputs_of_the_domain_plugin_are_told_as_such(run, project):
    template = json.loads((project / "template.json").read_text())
    template["Outputs"]["DistributionDomainName"] = {"Value": "d.example.com", "Export": {"Name": "sls-x"}}
    file = project / "stored.json"
    file.write_text(json.dumps(template))

    done = adopt(run, project, str(file))

    assert done.exit_code == 0
    assert "output DistributionDomainName is removed; its export is sls-x; serverless-domain-manager's" in done.stdout
