from __future__ import annotations

import pytest

from bareboat.container.reference import Reference, is_loopback, parse_reference
from bareboat.errors import ConfigurationError

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "whole", "familiar"),
    [
        ("ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest"),
        ("ubuntu:22.04", "docker.io/library/ubuntu:22.04", "ubuntu:22.04"),
        ("docker.io/library/ubuntu:22.04", "docker.io/library/ubuntu:22.04", "ubuntu:22.04"),
        ("index.docker.io/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest"),
        ("someone/app", "docker.io/someone/app:latest", "someone/app:latest"),
        ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"),
        (f"localhost:5000/x@{DIGEST}", f"localhost:5000/x@{DIGEST}", f"localhost:5000/x@{DIGEST}"),
        (f"ghcr.io/a/b__c/d-e:v1@{DIGEST}", f"ghcr.io/a/b__c/d-e:v1@{DIGEST}", f"ghcr.io/a/b__c/d-e:v1@{DIGEST}"),
        ("[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1"),
        ("Registry/x", "Registry/x:latest", "Registry/x:latest"),
        ("app:5000", "docker.io/library/app:5000", "app:5000"),  # a tag, since no path follows
    ],
)
def test_a_reference_is_read_as_docker_reads_it(text: str, whole: str, familiar: str) -> None:
    reference = parse_reference(text)

    assert (str(reference), reference.familiar) == (whole, familiar)
    assert parse_reference(str(reference)) == Reference(
        reference.registry, reference.repository, reference.tag, reference.digest
    )


def test_a_digest_is_what_a_registry_is_asked_for() -> None:
    pinned = parse_reference("ubuntu:22.04").with_digest(DIGEST)

    assert (parse_reference("ubuntu").wanted, pinned.wanted) == ("latest", DIGEST)
    assert str(pinned) == f"docker.io/library/ubuntu:22.04@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "has no name"),
        ("localhost:5000/", "has no name"),
        ("a//b", "has an empty part in its name"),
        ("App", "has capitals in its name"),
        ("app:", "has the tag ''"),
        ("app:-1", "has the tag '-1'"),
        ("app:" + "x" * 129, "has the tag"),
        ("app@sha256:12", "has the digest 'sha256:12'"),
        ("app@", "has the digest ''"),
        ("host:port/app", "has the registry 'host:port'"),
        ("host:70000/app", "has the registry 'host:70000'"),
        ("-x.example/app", "has the registry '-x.example'"),
        ("https://host/app", "has the scheme 'https'"),
        ("a b", "has 'a b' in its name"),
        ("../x", "has the registry '..'"),
        ("x/" + "a" * 254, "has a name of 256 characters"),
    ],
)
def test_what_is_no_reference_is_refused_with_the_part_that_is_wrong(text: str, found: str) -> None:
    with pytest.raises(ConfigurationError, match="the image") as caught:
        parse_reference(text)

    assert found in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize(
    ("registry", "answer"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("reg.localhost:1", True),
        ("127.0.0.1:5000", True),
        ("127.8.8.8", True),
        ("[::1]:5000", True),
        ("10.0.0.1:5000", False),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com:5000", False),
    ],
)
def test_only_this_machine_is_loopback(registry: str, answer: bool) -> None:
    assert is_loopback(registry) is answer
