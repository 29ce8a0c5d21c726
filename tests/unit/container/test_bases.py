"""Whatever a person names as base becomes an image in the store, or is refused with what was found."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
from pathlib import Path

import pytest

from bareboat.container.base import Base, open_base
from bareboat.container.documents import (
    CONFIG,
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    INDEX,
    LAYER_GZIP,
    MANIFEST,
    REF_NAME,
    Index,
    Platform,
    linux_platform,
    new_manifest,
)
from bareboat.container.export import export_image, write_tar
from bareboat.container.image import Settings, make_image, make_index
from bareboat.container.layer import Entry, add_tar, write_layer
from bareboat.container.layout import Layout
from bareboat.container.store import Store
from bareboat.errors import ArtifactError

AMD64, ARM64 = linux_platform("x86_64"), linux_platform("arm64")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "data")


def elf(machine: int) -> bytes:
    """The header of a program without anything in it (System V ABI: e_machine 62 is x86-64, 183 AArch64)."""
    return struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, machine, 1, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0)


def root_tar(machine: int = 62) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in (("./etc/os-release", b"ID=debian\n"), ("./usr/bin/sh", elf(machine))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("./bin")
        link.type, link.linkname = tarfile.SYMTYPE, "usr/bin"
        tar.addfile(link)
    return stream.getvalue()


def image_in(layout: Layout, content: bytes = b"1", *, platform: Platform = AMD64, docker: bool = False):
    layer = write_layer(layout, [Entry("etc/x", content)], name="x")
    config = {
        "architecture": platform.architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/bin", "A=1"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
    }
    descriptor = layer.descriptor
    if docker:
        descriptor = layout.add_blob(layout.blob_path(descriptor.digest).read_bytes(), DOCKER_LAYER_GZIP)
    made = new_manifest(layout.add_document(config, DOCKER_CONFIG if docker else CONFIG), [descriptor])
    return layout.add_document(made, DOCKER_MANIFEST if docker else MANIFEST, platform=platform)


def opened(text: str | Path, store: Store, platform: Platform = AMD64) -> Base:
    with store.adding():
        return open_base(str(text), platform, store)


def test_a_root_folders_tar_is_a_base(tmp_path: Path, store: Store) -> None:
    (tmp_path / "root.tar").write_bytes(root_tar())
    (tmp_path / "root.tar.gz").write_bytes(gzip.compress(root_tar(), mtime=0))

    plain, packed = opened(tmp_path / "root.tar", store), opened(tmp_path / "root.tar.gz", store)

    assert plain.name == "root.tar"  # the rest of the path is this machine's, and is not in the image
    assert plain.diff_ids == packed.diff_ids
    assert plain.tree.read("bin/sh") == elf(62)


def test_a_root_folder_for_another_machine_is_refused(tmp_path: Path, store: Store) -> None:
    (tmp_path / "root.tar").write_bytes(root_tar(183))

    with pytest.raises(ArtifactError, match="is for linux/arm64"):
        opened(tmp_path / "root.tar", store)
    assert opened(tmp_path / "root.tar", store, ARM64).platform == ARM64


def test_a_layouts_folder_is_a_base(tmp_path: Path, store: Store) -> None:
    layout = Layout.create(tmp_path / "layout")
    layout.tag("debian:12", image_in(layout, b"12"))

    base = opened(tmp_path / "layout", store)

    assert base.tree.read("etc/x") == b"12"
    assert base.env == {"PATH": "/bin", "A": "1"}
    assert base.layers[0].media_type == LAYER_GZIP


def test_an_image_of_a_layout_is_named_when_it_holds_several(tmp_path: Path, store: Store) -> None:
    layout = Layout.create(tmp_path / "layout")
    layout.tag("debian:12", image_in(layout, b"12"))
    layout.tag("debian:13", image_in(layout, b"13"))

    with pytest.raises(ArtifactError, match="holds 2 images: debian:12, debian:13"):
        opened(tmp_path / "layout", store)
    assert opened(f"{tmp_path / 'layout'}:13", store).tree.read("etc/x") == b"13"


def test_docker_images_are_read_and_become_oci(tmp_path: Path, store: Store) -> None:
    layout = Layout.create(tmp_path / "layout")
    layout.tag("x:1", image_in(layout, docker=True))

    base = opened(tmp_path / "layout", store)

    assert base.layers[0].media_type == LAYER_GZIP


def test_of_an_index_the_machines_image_is_taken_and_attestations_are_left(tmp_path: Path, store: Store) -> None:
    layout = Layout.create(tmp_path / "layout")
    attestation = image_in(layout, b"0", platform=Platform("unknown", "unknown"))
    index = Index(2, (attestation, image_in(layout, b"amd"), image_in(layout, b"arm", platform=ARM64)), INDEX)
    layout.tag("x:1", layout.add_document(index, INDEX))

    assert opened(tmp_path / "layout", store).tree.read("etc/x") == b"amd"
    assert opened(tmp_path / "layout", store, ARM64).tree.read("etc/x") == b"arm"


def test_a_base_for_another_machine_is_refused_by_name(tmp_path: Path, store: Store) -> None:
    layout = Layout.create(tmp_path / "layout")
    layout.tag("x:1", image_in(layout, platform=ARM64))

    with pytest.raises(ArtifactError, match=r"layout is for linux/arm64\n|layout is for linux/arm64") as raised:
        opened(tmp_path / "layout", store)
    assert raised.value.problems[0].expected == "linux/amd64"


def test_what_docker_save_wrote_is_a_base(tmp_path: Path, store: Store) -> None:
    tar = io.BytesIO(root_tar())
    source = Layout.create(tmp_path / "source")
    layer = add_tar(source, tar, name="x")
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [layer.diff_id]}}).encode()
    manifest = json.dumps([{"Config": "c.json", "RepoTags": ["x:1"], "Layers": ["abc/layer.tar"]}]).encode()
    with tarfile.open(tmp_path / "saved.tar", "w") as saved:
        for name, content in (("abc/layer.tar", root_tar()), ("c.json", config), ("manifest.json", manifest)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            saved.addfile(info, io.BytesIO(content))

    base = opened(tmp_path / "saved.tar", store)

    assert base.tree.read("etc/os-release") == b"ID=debian\n"
    assert base.diff_ids == (layer.diff_id,)


def test_our_own_tar_is_a_base_again(tmp_path: Path, store: Store) -> None:
    with store.adding() as layout:
        store.tag("x:1", image_in(layout, b"again"))
    export_image(store.layout, store.get("x:1"), ["x:1"], tmp_path / "x.tar")

    assert opened(tmp_path / "x.tar", Store.open(tmp_path / "other")).tree.read("etc/x") == b"again"


def test_an_image_of_the_store_is_a_base(store: Store) -> None:
    with store.adding() as layout:
        store.tag("mine", image_in(layout, b"mine"))

    assert opened("mine", store).tree.read("etc/x") == b"mine"


def test_scratch_is_nothing(store: Store) -> None:
    base = opened("scratch", store)

    assert base.layers == ()
    assert list(base.tree.paths()) == []


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("photo.tar", b"\x89PNG not a tar at all" * 100, "no image"),
        ("empty.tar", b"", "no image|holds nothing"),
        ("cut.tar.gz", gzip.compress(root_tar(), mtime=0)[:120], "damaged|no image"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, store: Store, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(ArtifactError, match=says):
        opened(tmp_path / name, store)


def test_a_tar_of_something_else_is_refused_with_what_it_holds(tmp_path: Path, store: Store) -> None:
    with tarfile.open(tmp_path / "project.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("src/main.py"))

    with pytest.raises(ArtifactError, match="it holds src"):
        opened(tmp_path / "project.tar", store)


def test_a_damaged_blob_of_a_base_is_noticed_and_not_kept(tmp_path: Path, store: Store) -> None:
    layout = Layout.create(tmp_path / "layout")
    image = image_in(layout)
    layout.tag("x:1", image)
    layer = layout.manifest(image).layers[0]
    data = bytearray(layout.blob_path(layer.digest).read_bytes())
    data[-1] ^= 1
    layout.blob_path(layer.digest).write_bytes(data)

    with pytest.raises(ArtifactError, match="damaged"):
        opened(tmp_path / "layout", store)
    assert not store.layout.has_blob(layer)


def test_an_image_keeps_the_bases_settings_and_adds_its_own(store: Store) -> None:
    with store.adding() as layout:
        store.tag("base", image_in(layout))
        base = open_base("base", AMD64, store)
        layer = write_layer(layout, [Entry("app/main.py", b"1")], name="project")
        image = make_image(base, [layer], Settings(env={"A": "2", "B": "3"}, cmd=["run"], workdir="/app"), title="x")

    config = layout.config(layout.manifest(image.descriptor))

    assert config["config"] == {"Env": ["PATH=/bin", "A=2", "B=3"], "Cmd": ["run"], "WorkingDir": "/app"}
    assert config["rootfs"]["diff_ids"] == [*base.diff_ids, layer.diff_id]
    assert [step["created_by"] for step in config["history"]] == ["base: base", "bareboat: project"]


def test_an_own_entry_point_drops_the_bases_command(store: Store) -> None:
    with store.adding() as layout:
        store.tag("base", image_in(layout))
        image = make_image(open_base("base", AMD64, store), [], Settings(entrypoint=["run"]), title="x")

    assert "Cmd" not in layout.config(layout.manifest(image.descriptor))["config"]


def test_the_same_input_gives_the_same_digest_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for number in (1, 2):
        monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / f"cache{number}"))
        folder = tmp_path / f"machine{number}"
        folder.mkdir()
        (folder / "root.tar").write_bytes(root_tar())
        store = Store.open(folder / "data")
        with store.adding() as layout:
            base = open_base(str(folder / "root.tar"), AMD64, store)
            layer = write_layer(layout, [Entry("a", b"1")], name="app")
            digests.append(make_image(base, [layer], Settings(labels={"b": "1", "a": "2"}), title="x").digest)

    assert digests[0] == digests[1]


def test_the_tar_of_an_image_is_the_same_every_time_and_names_every_platform(store: Store) -> None:
    with store.adding() as layout:
        store.tag("amd", image_in(layout, b"amd"))
        store.tag("arm", image_in(layout, b"arm", platform=ARM64))
        images = [
            make_image(open_base(name, platform, store), [], Settings(), title="x")
            for name, platform in (("arm", ARM64), ("amd", AMD64))
        ]
        index = make_index(layout, images)
    first, second = io.BytesIO(), io.BytesIO()

    write_tar(layout, index, ["x:1"], first)
    write_tar(layout, index, ["x:1"], second)

    assert first.getvalue() == second.getvalue()
    first.seek(0)
    with tarfile.open(fileobj=first) as tar:
        said = json.load(tar.extractfile("index.json"))
        assert said["manifests"][0]["annotations"][REF_NAME] == "x:1"
        nested = json.load(tar.extractfile("blobs/" + index.digest.replace(":", "/")))
    assert [one["platform"]["architecture"] for one in nested["manifests"]] == ["amd64", "arm64"]
