"""Layers are the same bytes everywhere, and a base's layers are read as a container sees them."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from bareboat.container.compression import GzipWriter
from bareboat.container.documents import LAYER, LAYER_GZIP, LAYER_ZSTD, Descriptor
from bareboat.container.layer import Entry, Layer, add_tar, folders_above, large_ones, write_layer
from bareboat.container.layout import Layout
from bareboat.container.tree import Tree
from bareboat.errors import ArtifactError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.create(tmp_path / "layout")


def tar_of(*members: tuple[str, bytes | str | None], kind: bytes = tarfile.SYMTYPE) -> bytes:
    """A tar of files (bytes), folders (None) and links (text)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            elif isinstance(content, str):
                info.type, info.linkname = kind, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def laid(layout: Layout, *tars: bytes) -> Tree:
    return Tree(layout, [layout.add_blob(tar, LAYER) for tar in tars])


def members(layout: Layout, layer: Layer) -> list[tarfile.TarInfo]:
    with tarfile.open(layout.blob_path(layer.descriptor.digest)) as tar:
        return tar.getmembers()


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 5_000_001])
def test_a_compressed_stream_is_what_any_gzip_reads(size: int) -> None:
    data = bytes(number * number % 251 for number in range(1000)) * (size // 1000 + 1)
    packed, parts = io.BytesIO(), io.BytesIO()

    with GzipWriter(packed.write) as writer:
        writer.write(data[:size])
    with GzipWriter(parts.write) as writer:
        for start in range(0, size, 77_777):
            writer.write(data[start : min(size, start + 77_777)])

    assert gzip.decompress(packed.getvalue()) == data[:size]
    assert packed.getvalue() == parts.getvalue()


def test_a_layer_is_sorted_undated_and_belongs_to_root(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_bytes(b"#!/bin/sh\n")

    layer = write_layer(
        layout,
        [Entry("b/run.sh", tmp_path / "run.sh", 0o755), Entry("a", b"1"), Entry("c", None, target="a")],
        name="app",
    )

    found = members(layout, layer)
    assert [(one.name, one.mode, one.uid, one.gid, one.mtime, one.uname) for one in found] == [
        ("a", 0o644, 0, 0, 0, ""),
        ("b/run.sh", 0o755, 0, 0, 0, ""),
        ("c", 0o777, 0, 0, 0, ""),
    ]
    assert found[2].linkname == "a"
    assert layer.unpacked_bytes == 11
    tar = gzip.decompress(layout.blob_path(layer.descriptor.digest).read_bytes())
    assert layer.diff_id == "sha256:" + hashlib.sha256(tar).hexdigest()


def test_the_same_files_give_the_same_layer_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry(f"f{number}/é{'x' * number}", bytes([number]) * number * 1000) for number in range(150)]

    first = write_layer(Layout.create(tmp_path / "1"), entries, name="x")
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "another"))
    second = write_layer(Layout.create(tmp_path / "2"), reversed(entries), name="x")

    assert first == second


def test_a_layer_that_was_written_before_is_found_by_its_files(layout: Layout) -> None:
    steps: list[str] = []
    entries = [Entry("a", b"1")]

    first = write_layer(layout, entries, name="app", on_step=steps.append)
    again = write_layer(layout, entries, name="app", on_step=steps.append)
    layout.blob_path(first.descriptor.digest).unlink()
    anew = write_layer(layout, entries, name="app", on_step=steps.append)

    assert first == again == anew
    assert len(steps) == 2


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "a/../../b", "a//b", "a/./b", "", "a/.wh.b", "nul\0"])
def test_a_path_that_leaves_the_layer_is_refused(layout: Layout, path: str) -> None:
    with pytest.raises(ArtifactError, match=r"leads out|removal"):
        write_layer(layout, [Entry(path, b"")], name="x")


def test_a_layer_brings_only_folders_that_are_not_there(layout: Layout) -> None:
    tree = laid(layout, tar_of(("usr", None), ("usr/local", None)))

    entries = folders_above(["usr/local/lib/python3.13/x.py", "usr/local/bin/x"], tree.__contains__)

    assert [entry.path for entry in entries] == ["usr/local/bin", "usr/local/lib", "usr/local/lib/python3.13"]


def test_whiteouts_take_away_what_lies_below(layout: Layout) -> None:
    tree = laid(
        layout,
        tar_of(("./keep", b"1"), ("gone", b"2"), ("folder", None), ("folder/old", b"3"), ("opaque/old", b"4"),
               ("was-folder/x", b"5")),
        tar_of((".wh.gone", b""), (".wh.folder", b""), ("opaque/.wh..wh..opq", b""), ("opaque/new", b"6"),
               ("was-folder", b"now a file")),
    )  # fmt: skip

    assert sorted(tree.paths()) == ["keep", "opaque", "opaque/new", "was-folder"]
    assert tree.read_many(["keep", "opaque/new", "gone"]) == {"keep": b"1", "opaque/new": b"6"}


def test_links_are_followed_within_the_image(layout: Layout) -> None:
    tree = laid(
        layout,
        tar_of(("usr/lib/libc.so.6", b"elf"), ("lib", "usr/lib"), ("up", "../../../usr"), ("a", "/up/lib"),
               ("loop", "loop")),
        tar_of(("hard", "usr/lib/libc.so.6"), kind=tarfile.LNKTYPE),
    )  # fmt: skip

    assert tree.resolve("lib/libc.so.6") == "usr/lib/libc.so.6"
    assert tree.read("a/libc.so.6") == b"elf"
    assert tree.read("hard") == b"elf"
    assert tree.names("/lib") == ["libc.so.6"]
    assert "loop/x" not in tree
    assert "lib/absent" not in tree


def test_a_layer_by_zstd_is_read(layout: Layout) -> None:
    import zstandard

    layer = layout.add_blob(zstandard.compress(tar_of(("a", b"1"))), LAYER_ZSTD)

    assert Tree(layout, [layer]).read("a") == b"1"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (gzip.compress(tar_of(("a", b"1" * 5000)), mtime=0)[:-2000], LAYER_GZIP),
        (gzip.compress(b"this is no tar", mtime=0), LAYER_GZIP),
        (b"this is no gzip", LAYER_GZIP),
        (b"this is no zstd", LAYER_ZSTD),
        (tar_of(("../../etc/passwd", b"")), LAYER),
    ],
)
def test_a_damaged_layer_is_told_as_such(layout: Layout, data: bytes, media_type: str) -> None:
    layer = layout.add_blob(data, media_type)

    with pytest.raises(ArtifactError, match="layer"):
        Tree(layout, [layer])


def test_a_changed_blob_is_noticed_before_it_is_read(layout: Layout) -> None:
    layer = layout.add_blob(tar_of(("a", b"1")), LAYER)
    data = layout.blob_path(layer.digest).read_bytes()
    layout.blob_path(layer.digest).write_bytes(data.replace(b"a", b"b", 1))

    with pytest.raises(ArtifactError, match="damaged"):
        Tree(layout, [layer])


def test_a_tar_becomes_a_layer_as_it_is(layout: Layout) -> None:
    data = tar_of(("a", b"1"))

    layer = add_tar(layout, io.BytesIO(data), name="root")

    assert layer.diff_id == "sha256:" + hashlib.sha256(data).hexdigest()
    assert Tree(layout, [layer.descriptor]).read("a") == b"1"
    assert isinstance(layer.descriptor, Descriptor)


def test_what_lies_below_a_link_of_a_lower_layer_lies_where_the_link_leads(layout: Layout) -> None:
    lower = tar_of(("usr/lib", None), ("usr/lib/old.so", b"old"), ("usr/lib/x.so", b"1"), ("lib", "usr/lib"))
    upper = tar_of(("lib/x.so", b"2"), ("lib/.wh.old.so", b""), ("lib/sub/y.so", b"3"))

    tree = laid(layout, lower, upper)

    assert tree.read_many(["lib/x.so", "usr/lib/x.so", "lib/sub/y.so"]) == {
        "lib/x.so": b"2",
        "usr/lib/x.so": b"2",
        "lib/sub/y.so": b"3",
    }
    assert tree.names("usr/lib") == ["sub", "x.so"]
    assert tree.names("") == ["lib", "usr"]


def test_a_folder_takes_the_place_of_a_link_and_a_link_that_of_a_folder(layout: Layout) -> None:
    lower = tar_of(("usr/lib/x.so", b"1"), ("lib", "usr/lib"), ("etc", None), ("etc/a", b"a"))
    upper = tar_of(("lib", None), ("lib/x.so", b"2"), ("etc", "usr"))

    tree = laid(layout, lower, upper)

    assert tree.read("lib/x.so") == b"2"
    assert tree.read("usr/lib/x.so") == b"1"
    assert "etc/a" not in tree
    assert tree.read("etc/lib/x.so") == b"1"


def test_a_hard_link_through_a_link_is_read(layout: Layout) -> None:
    lower = tar_of(("usr/lib/x.so", b"1"), ("lib", "usr/lib"))
    upper = tar_of(("y.so", "lib/x.so"), kind=tarfile.LNKTYPE)

    assert laid(layout, lower, upper).read("y.so") == b"1"


def test_of_two_members_with_one_name_the_last_counts(layout: Layout) -> None:
    tree = laid(layout, tar_of(("a", b"first"), ("b", b"b"), ("a", b"the second")))

    assert tree.read_many(["a", "b"]) == {"a": b"the second", "b": b"b"}
    node = tree.get("a")
    assert node is not None
    assert node.size == len(b"the second")


def test_a_file_that_changes_while_it_is_packed_makes_no_layer(layout: Layout, tmp_path: Path) -> None:
    place = tmp_path / "model.bin"
    place.write_bytes(b"one")

    def change(_step: str) -> None:
        place.write_bytes(b"two")

    with pytest.raises(ArtifactError, match="changed while it was packed"):
        write_layer(layout, [Entry("model.bin", place)], name="app", on_step=change)

    place.write_bytes(b"one")
    layer = write_layer(layout, [Entry("model.bin", place)], name="app")
    assert Tree(layout, [layer.descriptor]).read("model.bin") == b"one"


def test_the_largest_packages_get_layers_of_their_own_as_many_as_there_may_be() -> None:
    sizes = {"numpy": 50, "torch": 900, "idna": 1, "scipy": 50, "pandas": 40}

    assert large_ones(sizes, at_least=40, at_most=3) == ["numpy", "scipy", "torch"]
    assert large_ones(sizes, at_least=1000, at_most=3) == []
