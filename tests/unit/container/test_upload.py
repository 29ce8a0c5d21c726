from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from bareboat.container.documents import Descriptor
from bareboat.container.upload import push_blob
from bareboat.errors import RemoteError

BLOB = Descriptor("x", f"sha256:{0:064d}", 3)


class Registry:
    """A registry that takes an upload at an address of its choice."""

    host = "registry.example"
    base = "https://registry.example"

    def __init__(self, location: str, *, insecure: bool = False) -> None:
        self.transport = SimpleNamespace(insecure=insecure)
        self.location = location
        self.sent_to: list[str] = []

    def has_blob(self, _repository: str, _blob: Descriptor) -> bool:
        return False

    def request(self, method: str, path: str, **_: Any) -> Any:
        if method == "PUT":
            self.sent_to.append(path.partition("?")[0])
        return SimpleNamespace(
            status={"POST": 202}.get(method, 201),
            headers={"Location": self.location},
            read=lambda _most: b"",
            drain_conn=lambda: None,
            release_conn=lambda: None,
        )


def pushed(registry: Registry) -> list[str]:
    push_blob(registry, "a/b", BLOB, lambda: io.BytesIO(b"abc"))  # type: ignore[arg-type]
    return registry.sent_to


def test_an_upload_is_not_sent_on_to_plain_http() -> None:
    registry = Registry("http://storage.example/upload/1")

    with pytest.raises(RemoteError, match="wants the layers by plain HTTP"):
        pushed(registry)

    assert registry.sent_to == []


@pytest.mark.parametrize(
    ("location", "insecure", "to"),
    [
        ("/v2/a/b/blobs/uploads/1", False, "https://registry.example/v2/a/b/blobs/uploads/1"),
        ("https://storage.example/upload/1", False, "https://storage.example/upload/1"),
        ("http://registry.example/upload/1", False, "https://registry.example/upload/1"),  # behind a proxy
        ("http://127.0.0.1:5000/upload/1", False, "http://127.0.0.1:5000/upload/1"),
        ("http://storage.example/upload/1", True, "http://storage.example/upload/1"),
    ],
)
def test_an_upload_goes_where_the_registry_says(location: str, insecure: bool, to: str) -> None:
    assert pushed(Registry(location, insecure=insecure)) == [to]
