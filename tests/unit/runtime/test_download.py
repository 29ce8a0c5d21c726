"""Bytes of a store -> a file: resumed, compared, whole or not at all."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from bareboat.errors import RemoteError
from bareboat.runtime import download
from bareboat.runtime.download import Answer, Differs, save

DATA = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    monkeypatch.setattr(download, "CHUNK", 1000)


class Store:
    """Answers each request with what a script says: how many bytes it gives, from which offset on, of which data."""

    def __init__(self, *script: tuple[int, bytes], begins_anew: bool = False, tells_size: bool = True) -> None:
        self.script = list(script)
        self.begins_anew = begins_anew
        self.tells_size = tells_size
        self.offsets: list[int] = []

    def __call__(self, offset: int) -> Answer:
        self.offsets.append(offset)
        count, data = self.script.pop(0)
        if count < 0:
            raise ConnectionResetError("reset")
        start = 0 if self.begins_anew else offset
        body = io.BytesIO(data[start : start + count])
        return Answer(body.read, body.close, start=start, size_bytes=len(data) if self.tells_size else -1)


def fetch(store: Store, path: Path, digest: str = hashlib.sha256(DATA).hexdigest()) -> bytes:
    saved = save(store, str(path), source="s3://b/k", digest=digest)
    data = path.read_bytes()
    assert (saved.digest, saved.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    return data


def test_it_goes_on_where_it_broke(tmp_path: Path) -> None:
    store = Store((3000, DATA), (-1, b""), (4096, DATA), (len(DATA), DATA))

    assert fetch(store, tmp_path / "f") == DATA
    assert store.offsets == [0, 3000, 3000, 7096]


def test_it_begins_again_where_the_store_does(tmp_path: Path) -> None:
    store = Store((3000, DATA), (len(DATA), DATA), begins_anew=True)

    assert fetch(store, tmp_path / "f") == DATA


def test_pieces_of_two_contents_are_fetched_once_more_as_a_whole(tmp_path: Path) -> None:
    other = b"x" * len(DATA)
    store = Store((3000, other), (len(DATA), DATA), (len(DATA), DATA))

    assert fetch(store, tmp_path / "f") == DATA
    assert store.offsets == [0, 3000, 0]


def test_other_content_is_refused_at_once(tmp_path: Path) -> None:
    store = Store((len(DATA), b"x" * len(DATA)))

    with pytest.raises(Differs, match="the content has sha256"):
        fetch(store, tmp_path / "f")


def test_a_store_that_gives_nothing_is_given_up(tmp_path: Path) -> None:
    store = Store((1000, DATA), *[(0, DATA)] * 5)

    with pytest.raises(RemoteError, match="broke 5 times without a byte"):
        fetch(store, tmp_path / "f")


def test_a_refusal_is_final(tmp_path: Path) -> None:
    asked = []

    def refuse(offset: int) -> Answer:
        asked.append(offset)
        raise RemoteError("no such key")

    with pytest.raises(RemoteError, match="no such key"):
        save(refuse, str(tmp_path / "f"), source="")
    assert asked == [0]


def test_a_disk_that_is_full_is_no_matter_of_the_network() -> None:
    store = Store((len(DATA), DATA))

    with pytest.raises(OSError, match="No space left"):
        save(store, "/dev/full", source="")
    assert store.offsets == [0]


def test_more_than_lambda_can_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MOST_BYTES", 5000)

    for tells_size in (True, False):
        with pytest.raises(RemoteError, match="the model has 0 MB"):
            fetch(Store((len(DATA), DATA), tells_size=tells_size), tmp_path / "f")
