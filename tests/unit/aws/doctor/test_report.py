from datetime import UTC, datetime
from pathlib import Path

from bareboat.aws.doctor.asking import Answer, Reply, masked
from bareboat.aws.doctor.images import LIBRARY_PATH, Fact, facts
from bareboat.aws.doctor.probing import Findings
from bareboat.aws.doctor.questions import questions
from bareboat.aws.doctor.report import report, rows
from bareboat.service.model import Function, Place

QUESTION = questions()[0]
FUNCTION = Function("image", "s-d-image", Place("f", 1, 1), "python3.13", "3.13", "x86_64")


def said(**more: object) -> dict[str, object]:
    """Return what an image tells that is just as assumed."""
    from bareboat.packaging.lambda_image import PROVIDED

    return {
        "glibc": "glibc 2.34",
        "symbols": ["GLIBCXX_3.4.9", "GLIBCXX_3.4.29", "CXXABI_1.3.13"],
        "libraries": {"/lib64": sorted(PROVIDED), "/usr/lib64": ["FileNotFoundError"]},
        "environment": {"LD_LIBRARY_PATH": LIBRARY_PATH},
        "sys.path": ["/var/task", "/opt/python", "/var/lang/lib/python3.13/site-packages", "/var/runtime", "/x"],
        **more,
    }


def test_every_question_has_an_id_of_its_own() -> None:
    ids = [one.id for one in questions()]

    assert len(ids) == len(set(ids)) > 50


def test_an_image_as_assumed_agrees() -> None:
    assert [fact.id for fact in facts(FUNCTION, said()) if not fact.agrees] == []


def test_what_an_image_has_otherwise_is_told() -> None:
    other = said(
        glibc="glibc 2.38", libraries={"/lib64": ["libgomp.so.1"]}, **{"sys.path": ["/opt/python", "/var/task"]}
    )

    found = {fact.id: fact.found for fact in facts(FUNCTION, other) if not fact.agrees}

    assert found["glibc"] == "2.38"
    assert found["bundled"] == ["libgomp.so.1"]
    assert "libc.so.6" in found["libraries"]
    assert found["sys.path"] == ["/opt/python", "/var/task"]


def test_an_image_that_could_not_be_asked_has_no_facts() -> None:
    assert list(facts(FUNCTION, {"error": "no"})) == []


def test_events_are_compared_without_what_each_place_has_of_its_own() -> None:
    event = {
        "requestContext": {"http": {"sourceIp": "1", "path": "/a"}, "time": "t"},
        "headers": {"host": "h", "x-one": "1"},
    }

    assert masked(event) == {
        "requestContext": {"http": {"sourceIp": "*", "path": "/a"}, "time": "*"},
        "headers": {"host": "*", "x-one": "1"},
    }


def test_the_report_has_no_account_and_the_table_begins_with_what_differs() -> None:
    same, other = Answer(200, {}, "arn:aws:lambda:us-east-1:987654321098:f"), Answer(404, {}, "x")
    findings = Findings(
        (Reply(QUESTION, same, same), Reply(QUESTION, other, same)),
        facts=(Fact("image", "glibc", "r", "2.34", "2.34"),),
    )

    document = report("us-east-1", findings, now=datetime(2026, 11, 22, tzinfo=UTC))

    assert "987654321098" not in str(document)
    assert [one["differs_in"] for one in document["answers"]] == ["", "status, body"]
    assert document["at"] == "2026-11-22T00:00:00Z"
    assert [row[0] for row in rows(findings)] == ["NO", "yes", "yes"]


def test_the_probe_ships(repository: Path) -> None:
    from bareboat.aws.doctor.probing import FOLDER

    assert sorted(path.name for path in FOLDER.iterdir() if path.is_file()) == ["probe.py", "serverless.yml"]
