"""`model:` that names a store: what is read of it, and what is refused, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from bareboat.service.model import RemoteModel

HEX = "2efaae16021c1f34cb09d477f4815c9d1afdd4c060d67f700a212df9768d6f01"


@pytest.mark.parametrize(
    ("said", "source", "version_id", "sha256", "when"),
    [
        ("s3://our-models/iris/m.forest", "s3://our-models/iris/m.forest", "", "", "build"),
        ("s3://b-1.x/a b?versionId=v.1", None, "", "", ""),
        ("s3://our-models/m?versionId=v.1-_", "s3://our-models/m", "v.1-_", "", "build"),
        ("s3://our-models/what?.bin", "s3://our-models/what?.bin", "", "", "build"),
        ("s3://our-models/folder/", "s3://our-models/folder/", "", "", "build"),
        ("https://models.example.org/m.forest", "https://models.example.org/m.forest", "", "", "build"),
        (f"https://x.org/m?a=1#sha256={HEX}", "https://x.org/m?a=1", "", HEX, "build"),
        ("http://127.0.0.1:8000/m", "http://127.0.0.1:8000/m", "", "", "build"),
        ("{source: s3://bbb/k, versionId: v1, load: cold-start}", "s3://bbb/k", "v1", "", "cold-start"),
        (f"{{source: https://x.org/m, sha256: {HEX.upper()}}}", "https://x.org/m", "", HEX, "build"),
    ],
)
def test_a_source_is_read(
    function: Any, refuse_function: Any, said: str, source: str | None, version_id: str, sha256: str, when: str
) -> None:
    if source is None:
        assert "blanks" in str(refuse_function(f"model: {said}")[0])
        return

    found = function(f"model: {said if said.startswith('{') else repr(said)}").model

    assert isinstance(found, RemoteModel)
    assert (found.source, found.version_id, found.sha256, found.load) == (source, version_id, sha256, when)
    assert str(found.where).startswith("serverless.yml:7:")


def test_a_file_of_the_folder_may_be_written_as_a_source(function: Any) -> None:
    assert function("model: {source: lgb.model}").model.name == "lgb.model"


@pytest.mark.parametrize(
    ("said", "place", "found"),
    [
        ("s3://B/k", "7:12", "'B' is no name of a bucket"),
        ("s3://bucket", "7:12", "'s3://bucket' names no object"),
        ("s3://bucket/", "7:12", "names no object"),
        ("s3://arn:aws:s3:x/k", "7:12", "names a bucket by its ARN"),
        ("s3://bucket/f/?versionId=v", "7:12", "versionId beside a folder"),
        ("http://x.org/m", "7:12", "goes over the network unprotected"),
        ("https://user:secret@x.org/m", "7:12", "holds a user or a password"),
        ("https://x.org/m?X-Amz-Signature=abc", "7:12", "the address is signed"),
        ("https:///m", "7:12", "names no host"),
        ("'https://x.org:port/m'", "7:12", "is no address"),
        ("'https://x.org/m#sha256=12'", "7:12", "sha256 is '12'"),
        ("gs://bucket/k", "7:12", "is in a store that is not known"),
        ("models:/churn/3", "7:12", "an address of an MLflow server"),
        ("{versionId: v}", "7:12", "has no source"),
        ("{source: none.model}", "7:21", "there is no file none.model"),
        ("{source: lgb.model, load: cold-start}", "7:32", "has load beside a file of the folder"),
        ("{source: lgb.model, versionId: v}", "7:32", "has versionId beside a file of the folder"),
        ("{source: https://x.org/m, versionId: v}", "7:38", "versionId, which only S3 has"),
        ("{source: 's3://bbb/k?versionId=a', versionId: b}", "7:47", "versionId is b, and the source says a"),
        ("{source: s3://bbb/f/, versionId: v}", "7:34", "versionId beside a folder"),
        ("{source: s3://bbb/k, sha256: xyz}", "7:33", "sha256 is 'xyz'"),
        ("{source: s3://bbb/k, load: later}", "7:39", "functions.predict.model.load is 'later'"),
        ("{source: s3://bbb/k, versionid: v}", "7:33", "has no key 'versionid'"),
    ],
)
def test_what_is_no_source_says_where(refuse_function: Any, said: str, place: str, found: str) -> None:
    problem = refuse_function(f"model: {said}")[0]

    assert found in problem.found
    assert problem.where.endswith(f"serverless.yml:{place}")
    assert problem.expected or problem.fix


def test_models_and_versions_take_sources_too(function: Any) -> None:
    found = function(
        """
        models:
          a: s3://bucket/a
          b:
            model: {source: s3://bucket/b, load: cold-start}
            versions: ["s3://bucket/b?versionId=old", lgb.model]
        """
    )

    (a,), (new, old, local) = (model.files for model in found.models)
    assert (a.source, new.load, old.version_id, local.name) == ("s3://bucket/a", "cold-start", "old", "lgb.model")
    assert (new.where.line, old.where.line) == (10, 11)
