"""Blobs are whole or not there, whatever happens to those who write them."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from pathlib import Path

import pytest

from bareboat.container.documents import LAYER_GZIP, MANIFEST, REF_NAME, Descriptor, new_manifest
from bareboat.container.layout import Layout
from bareboat.container.store import Store
from bareboat.errors import ArtifactError

HELLO = b"hello\n"
HELLO_DIGEST = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"  # echo hello | sha256sum


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.create(tmp_path / "layout")


def image(layout: Layout, content: bytes) -> Descriptor:
    layer = layout.add_blob(content, LAYER_GZIP)
    config = layout.add_document({"architecture": "amd64", "os": "linux"}, "application/vnd.oci.image.config.v1+json")
    return layout.add_document(new_manifest(config, [layer]), MANIFEST)


def files(layout: Layout) -> set[str]:
    return {path.name for path in (layout.path / "blobs").rglob("*") if path.is_file()}


def test_a_blob_lies_under_its_digest(layout: Layout) -> None:
    blob = layout.add_blob(HELLO, LAYER_GZIP)

    assert blob == Descriptor(LAYER_GZIP, HELLO_DIGEST, 6)
    assert layout.blob_path(HELLO_DIGEST).read_bytes() == HELLO
    assert layout.has_blob(blob)


@pytest.mark.parametrize("sent", [b"hell", b"hello\n more", b"jello\n"])
def test_a_stream_that_is_not_what_was_expected_leaves_nothing(layout: Layout, sent: bytes) -> None:
    with pytest.raises(ArtifactError, match="damaged"):
        layout.add_blob(io.BytesIO(sent), expected=Descriptor(LAYER_GZIP, HELLO_DIGEST, 6))

    assert files(layout) == set()


def test_a_stream_that_breaks_leaves_nothing(layout: Layout) -> None:
    def broken():
        yield b"hel"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        layout.add_blob(broken(), expected=Descriptor(LAYER_GZIP, HELLO_DIGEST, 6))

    assert files(layout) == set()


def test_a_damaged_blob_is_told_from_a_whole_one(layout: Layout) -> None:
    blob = layout.add_blob(HELLO, LAYER_GZIP)
    layout.blob_path(blob.digest).write_bytes(b"jello\n")

    with pytest.raises(ArtifactError, match="damaged"):
        layout.check_blob(blob)
    with pytest.raises(ArtifactError, match="damaged"):
        layout.read_blob(blob)


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "md5:00", "sha256:" + "g" * 64, ""])
def test_what_is_no_digest_names_no_file(layout: Layout, digest: str) -> None:
    with pytest.raises(ArtifactError, match="no digest"):
        layout.blob_path(digest)


def test_a_name_moves_to_another_image(layout: Layout) -> None:
    first, second = image(layout, b"1"), image(layout, b"2")
    layout.tag("iris:latest", first)

    layout.tag("iris:latest", second)

    assert [one.digest for one in layout.manifests()] == [second.digest]
    index = json.loads((layout.path / "index.json").read_bytes())
    assert index["manifests"][0]["annotations"] == {REF_NAME: "iris:latest"}
    assert index["schemaVersion"] == 2


def test_many_tag_at_once_and_no_name_is_lost(layout: Layout) -> None:
    made = image(layout, b"1")
    threads = [threading.Thread(target=layout.tag, args=(f"n{number}:1", made)) for number in range(16)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {one.name for one in layout.manifests()} == {f"n{number}:1" for number in range(16)}


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()

    with pytest.raises(ArtifactError, match="something else"):
        Layout.create(tmp_path)


def test_removing_an_image_frees_what_no_other_needs(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    shared, own = image(store.layout, b"shared"), image(store.layout, b"own")
    store.tag("a", shared)
    store.tag("b:1", shared)
    store.tag("c", own)

    store.remove("a")
    freed = store.remove("c")

    assert [stored.name for stored in store.images()] == ["b:1"]
    assert freed > 0
    assert hashlib.sha256(b"shared").hexdigest() in files(store.layout)
    assert hashlib.sha256(b"own").hexdigest() not in files(store.layout)


def test_nothing_is_removed_while_somebody_adds(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.adding() as layout:
        blob = layout.add_blob(HELLO, LAYER_GZIP)

        assert store.sweep() == 0
        assert layout.has_blob(blob)

    assert store.sweep() == 6


def test_an_image_is_found_by_the_beginning_of_its_digest(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    made = image(store.layout, b"1")
    store.tag("a", made)

    assert store.get(made.digest[7:19]).name == "a:latest"
    with pytest.raises(ArtifactError, match="there is no image b:latest"):
        store.get("b")
