"""What the key types share: descriptions, tiers, and the small types that many keys have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Tier = Literal["must", "should", "could"]


class Keys(Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A mapping whose keys are all known. Absent and null are the same: None."""


def doc(text: str, tier: Tier = "could") -> Meta:
    """Describe a key for the JSON schema and the documentation."""
    return Meta(description=text, extra={"tier": tier})


def said(expected: str, **limits: Any) -> Meta:
    """Limit a value, and say in words what is expected of it."""
    return Meta(extra={"expected": expected}, **limits)


CloudFormation = dict[str, Any]  # {Ref: X}, {Fn::GetAtt: [...]}: known after a deployment
Text = str | CloudFormation

MemorySize = Annotated[int, said("a whole number of MB from 128 to 10240", ge=128, le=10240)]
Timeout = Annotated[int, said("a whole number of seconds from 1 to 900", ge=1, le=900)]
EphemeralStorage = Annotated[int, said("a whole number of MB from 512 to 10240", ge=512, le=10240)]
Count = Annotated[int, said("a whole number, 0 or more", ge=0)]
ArchitectureName = Literal["x86_64", "arm64"]
Payload = Literal["1.0", "2.0"]
Description = Annotated[str, said("at most 256 characters", max_length=256)]
Retention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip
Environment = dict[str, str | CloudFormation | None]
