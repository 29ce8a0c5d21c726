"""What moto forgets of functions and buckets: kept beside it, and put into its answers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

FORGOTTEN = (
    "SnapStart",
    "LoggingConfig",
    "DeadLetterConfig",
    "FileSystemConfigs",
    "KMSKeyArn",
    "VpcConfig",
    "ImageConfig",
    "Layers",
)


class Kept:
    """What moto forgets, by function and version.

    Args:
        of: (region, name, version) -> settings; `$LATEST` for what is not published.
        revisions: (region, name, version or alias) -> RevisionId.
        provisioned: (region, name, qualifier) -> ProvisionedConcurrencyConfig.
        code: (region, name, version) -> the archive.
        published: (region, name) -> (the last version, the RevisionId of what it is of).
        urls: (region, name, alias) -> the address of an alias, as GetFunctionUrlConfig tells it.
        policies: bucket -> its policy, as it was put.
    """

    def __init__(self) -> None:
        self.of: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.revisions: dict[tuple[str, str, str], str] = {}
        self.provisioned: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.code: dict[tuple[str, str, str], bytes] = {}
        self.published: dict[tuple[str, str], tuple[str, str]] = {}
        self.policies: dict[str, str] = {}
        self.urls: dict[tuple[str, str, str], dict[str, Any]] = {}

    def reset(self) -> None:
        for one in (self.of, self.revisions, self.provisioned, self.code, self.published, self.policies, self.urls):
            one.clear()

    def set(self, region: str, name: str, settings: dict[str, Any]) -> None:
        """Keep what moto forgets of a function's settings; those that are not named stay."""
        kept = self.of.setdefault((region, name, "$LATEST"), {})
        kept.update({key: settings[key] for key in FORGOTTEN if key in settings})
        self.touch(region, name)

    def touch(self, region: str, name: str, version: str = "$LATEST") -> str:
        """Give a function a new RevisionId."""
        self.revisions[region, name, version] = str(uuid4())
        return self.revisions[region, name, version]

    def revision(self, region: str, name: str, version: str = "$LATEST") -> str:
        return self.revisions.get((region, name, version)) or self.touch(region, name, version)

    def publish(self, region: str, name: str, version: str) -> None:
        """Remember a version as the function is now."""
        for table in (self.of, self.code):
            if (region, name, "$LATEST") in table:
                value = table[region, name, "$LATEST"]
                table[region, name, version] = dict(value) if isinstance(value, dict) else value  # type: ignore[index,call-overload]
        self.published[region, name] = (version, self.revision(region, name))

    def forget(self, region: str, name: str, version: str = "") -> None:
        """Forget a function, or one version of it."""
        for table in (self.of, self.revisions, self.provisioned, self.code, self.urls):
            for key in [one for one in table if one[:2] == (region, name) and version in ("", one[2])]:
                del table[key]  # type: ignore[attr-defined]
        if not version:
            self.published.pop((region, name), None)
