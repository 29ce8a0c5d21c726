"""Push and pull with Debian's docker-registry, and skopeo as the judge of what arrived."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bareboat.container.credentials import Credentials
from bareboat.container.documents import Platform
from bareboat.container.layout import Layout
from bareboat.container.pull import pull
from bareboat.container.push import push
from bareboat.container.registry import Registry
from bareboat.container.transport import Transport
from bareboat.errors import RemoteError

AMD64 = Platform("amd64", "linux")


def at_once(host: str, credentials: Credentials | None = None) -> Registry:
    """A registry whose retries are not waited for."""
    transport = Transport(sleep=lambda _: None)
    return Registry(host, transport=transport, credentials=lambda _host, _repository: credentials)


def requests_of(log: Path, method: str, part: str) -> list[str]:
    found = re.findall(rf'"{method} ([^ ]*{part}[^ ]*) HTTP', log.read_text())
    return [one for one in found if part in one]


def test_what_is_pushed_is_pulled_again_with_the_same_bytes(registry, image, tmp_path: Path) -> None:
    made = image((1_000, 5_000_000))

    pushed = push(made.layout, made.image, f"{registry.host}/round/trip:1")
    other = Layout.create(tmp_path / "other")
    pulled = pull(f"{registry.host}/round/trip:1", other)

    assert (pushed.digest, pulled.digest) == (made.image.digest, made.image.digest)
    assert pushed.count("sent") == 3
    assert pulled.platform == AMD64
    for blob in (made.config, *made.layers):
        other.check_blob(blob)
        at = registry.storage / "docker/registry/v2/blobs/sha256" / blob.digest[7:9] / blob.digest[7:] / "data"
        assert at.read_bytes() == other.blob_path(blob.digest).read_bytes()


def test_what_a_repository_has_is_not_sent_again(registry, image) -> None:
    made = image((1_000, 200_000))
    push(made.layout, made.image, f"{registry.host}/again:1")
    before = len(requests_of(registry.log, "POST", "/v2/again/blobs/uploads"))

    again = push(made.layout, made.image, f"{registry.host}/again:2")

    assert again.count("there") == 3
    assert again.sent_bytes == 0
    assert len(requests_of(registry.log, "POST", "/v2/again/blobs/uploads")) == before


def test_layers_of_the_base_are_mounted_from_its_repository(registry, image, tmp_path: Path) -> None:
    base = image((100_000,))
    push(base.layout, base.image, f"{registry.host}/bases/debian:12")
    made = image((100_000, 2_000), base=f"{registry.host}/bases/debian:12")

    pushed = push(made.layout, made.image, f"{registry.host}/built:1")

    assert pushed.how[base.layers[0].digest] == "mounted"
    assert pushed.how[made.layers[1].digest] == "sent"
    pull(f"{registry.host}/built:1", Layout.create(tmp_path / "other"))


def test_a_layer_goes_in_pieces_when_asked(registry, image, tmp_path: Path) -> None:
    made = image((5_000_000,))

    push(made.layout, made.image, f"{registry.host}/pieces:1", chunk_bytes=1_000_000)

    assert len(requests_of(registry.log, "PATCH", "/v2/pieces/")) == 6  # the tar is a little larger than 5 MB
    pull(f"{registry.host}/pieces:1", Layout.create(tmp_path / "other"))


def test_an_upload_goes_on_after_the_last_piece_that_came(registry, image, cutting_proxy, tmp_path: Path) -> None:
    made = image((8_000_000,))

    with cutting_proxy(registry.host, before=(b"PATCH ", 5)) as proxy, at_once(proxy.host) as there:
        push(made.layout, made.image, f"{proxy.host}/resumed:1", chunk_bytes=1_000_000, registry=there)

    assert proxy.cuts == 1
    assert len(requests_of(registry.log, "GET", "/v2/resumed/blobs/uploads/")) == 1  # asked how far it had come
    assert proxy.passed["up"] < 8_100_000  # nothing was sent twice
    pull(f"{registry.host}/resumed:1", Layout.create(tmp_path / "other"))


def test_an_upload_that_broke_within_a_piece_still_arrives(registry, image, cutting_proxy, tmp_path: Path) -> None:
    made = image((8_000_000,))

    with cutting_proxy(registry.host, up=(3_000_000, 1_000_000)) as proxy, at_once(proxy.host) as there:
        push(made.layout, made.image, f"{proxy.host}/broken:1", registry=there)

    assert proxy.cuts == 2
    pull(f"{registry.host}/broken:1", Layout.create(tmp_path / "other"))


def test_a_download_goes_on_at_the_byte_where_it_broke(registry, image, cutting_proxy, tmp_path: Path) -> None:
    made = image((8_000_000,))
    push(made.layout, made.image, f"{registry.host}/down:1")
    other = Layout.create(tmp_path / "other")

    with cutting_proxy(registry.host, down=(3_000_000, 1_000_000)) as proxy, at_once(proxy.host) as there:
        pull(f"{proxy.host}/down:1", other, registry=there)

    assert proxy.cuts == 2
    assert proxy.passed["down"] < 8_100_000  # nothing came twice
    other.check_blob(made.layers[0])


def test_an_index_is_pushed_whole_and_pulled_for_one_machine_or_all(registry, index, tmp_path: Path) -> None:
    made = index()
    push(made.layout, made.image, f"{registry.host}/many:1")
    one, every = Layout.create(tmp_path / "one"), Layout.create(tmp_path / "every")

    arm = pull(f"{registry.host}/many:1", one, platforms=[Platform("arm64", "linux")])
    whole = pull(f"{registry.host}/many:1", every)

    assert arm.platform == Platform("arm64", "linux")
    assert one.config(one.manifest(arm))["architecture"] == "arm64"
    assert len(list((one.path / "blobs" / "sha256").iterdir())) == 3
    assert whole.digest == made.image.digest
    assert [each.platform for each in every.images(whole)] == [AMD64, Platform("arm64", "linux")]


def test_a_machine_that_an_image_is_not_for_is_told_with_those_that_it_is_for(registry, index, tmp_path: Path) -> None:
    made = index()
    push(made.layout, made.image, f"{registry.host}/notfor:1")

    with pytest.raises(RemoteError) as caught:
        pull(f"{registry.host}/notfor:1", Layout.create(tmp_path / "o"), platforms=[Platform("riscv64", "linux")])

    assert "is not there for linux/riscv64" in str(caught.value)
    assert "linux/amd64, linux/arm64" in str(caught.value)


def test_a_tag_that_is_not_there_is_told_with_the_nearest(registry, image, tmp_path: Path) -> None:
    made = image()
    for tag in ("1.2", "1.10", "latest"):
        push(made.layout, made.image, f"{registry.host}/tags:{tag}")

    with pytest.raises(RemoteError) as caught:
        pull(f"{registry.host}/tags:1.3", Layout.create(tmp_path / "other"))

    assert "has no tags with the tag 1.3" in str(caught.value)
    assert f"did you mean {registry.host}/tags:1.2?" in str(caught.value)
    assert not Layout.open(tmp_path / "other").manifests()


def test_a_repository_that_is_not_there_is_told(registry, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="has no nobody/knows, or does not show it to you"):
        pull(f"{registry.host}/nobody/knows:1", Layout.create(tmp_path / "other"))


# --- skopeo


@pytest.fixture(scope="module")
def skopeo(system_command: Callable[[str], str]) -> Callable[..., str]:
    program = system_command("skopeo")

    def run(*arguments: str) -> str:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_skopeo_reads_what_was_pushed(registry, index, skopeo, tmp_path: Path) -> None:
    made = index()
    push(made.layout, made.image, f"{registry.host}/for/skopeo:1")
    source = f"docker://{registry.host}/for/skopeo:1"

    raw = json.loads(skopeo("inspect", "--tls-verify=false", "--raw", source))
    skopeo("copy", "--all", "--preserve-digests", "--src-tls-verify=false", source, f"oci:{tmp_path / 'copy'}:x")

    assert [one["platform"]["architecture"] for one in raw["manifests"]] == ["amd64", "arm64"]
    assert Layout.open(tmp_path / "copy").find("x").digest == made.image.digest


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_what_skopeo_pushed_is_pulled(registry, image, skopeo, tmp_path: Path, form: str) -> None:
    made = image((70_000, 3_000))
    made.layout.tag("x", made.image)
    target = f"docker://{registry.host}/of/skopeo:{form}"
    skopeo("copy", "--dest-tls-verify=false", f"--format={form}", f"oci:{made.layout.path}:x", target)
    other = Layout.create(tmp_path / "other")

    pulled = pull(f"{registry.host}/of/skopeo:{form}", other, platforms=[AMD64])

    said = json.loads(skopeo("inspect", "--tls-verify=false", target))
    assert pulled.digest == said["Digest"]
    assert [layer.digest for layer in other.manifest(pulled).layers] == said["Layers"]
    assert ("docker" in pulled.media_type) == (form == "v2s2")


# --- a registry that asks who you are

WORD = "$2y$05$VoBxque8.KUYsHn4ldH0C.Cy.GHrJUgUhSwHvzgRREdgeLYBM5foS"  # htpasswd -nbB someone secret


@pytest.fixture(scope="module")
def private(
    system_command: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory, running: Any
) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("private")
    (folder / "htpasswd").write_text(f"someone:{WORD}\n")
    more = f"auth:\n  htpasswd: {{realm: tests, path: {folder / 'htpasswd'}}}\n"
    with running(system_command("docker-registry"), folder, more=more) as registry:
        yield registry


def test_credentials_of_docker_login_are_taken(private, image, home: Path, tmp_path: Path) -> None:
    made = image()
    (home / ".docker").mkdir()
    auths = {private.host: {"auth": "c29tZW9uZTpzZWNyZXQ="}}
    (home / ".docker" / "config.json").write_text(json.dumps({"auths": auths}))

    pushed = push(made.layout, made.image, f"{private.host}/mine:1")

    assert pushed.count("sent") == 2
    pull(f"{private.host}/mine:1", Layout.create(tmp_path / "other"))


def test_credentials_of_skopeo_login_are_taken(private, image, home: Path, skopeo) -> None:
    made = image()
    skopeo("login", "--tls-verify=false", "--username=someone", "--password=secret", private.host)

    pushed = push(made.layout, made.image, f"{private.host}/skopeos:1")

    assert pushed.digest == made.image.digest


def test_without_credentials_the_way_to_log_in_is_told(private, image, home: Path) -> None:
    made = image()

    with pytest.raises(RemoteError) as caught:
        push(made.layout, made.image, f"{private.host}/mine:1")

    assert f"{private.host} wants to know who you are" in str(caught.value)
    assert f"docker login {private.host}" in str(caught.value)


def test_wrong_credentials_are_told_once_and_never_shown(private, image, caplog: pytest.LogCaptureFixture) -> None:
    made = image()
    caplog.set_level("DEBUG")

    with at_once(private.host, Credentials("someone", "wrong-word")) as there, pytest.raises(RemoteError) as caught:
        push(made.layout, made.image, f"{private.host}/mine:1", registry=there)

    assert "does not take the credentials" in str(caught.value)
    assert "wrong-word" not in str(caught.value) + caplog.text
    assert "d3Jvbmctd29yZ" not in caplog.text  # nor in base64


def test_a_registry_that_cannot_be_written_to_is_told(
    system_command: Callable[[str], str], running: Any, image, tmp_path: Path
) -> None:
    made = image()
    more = "  maintenance: {readonly: {enabled: true}}\n"

    with (
        running(system_command("docker-registry"), tmp_path / "fixed", more=more) as there,
        pytest.raises(RemoteError) as caught,
    ):
        push(made.layout, made.image, f"{there.host}/mine:1")

    assert "read-only" in str(caught.value)
