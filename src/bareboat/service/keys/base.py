"""What the key types share: names, descriptions, tiers, and the small types that many keys have.

A class of keys is read by check.py key by key: its annotations stay text until a key is met in a file, since evaluating
all of them costs a start-up 10 ms. editor.py turns the same classes into msgspec types for the JSON schema.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

Tier = Literal["must", "should", "could"]


class Keys:
    """A mapping whose keys are all known. Absent and null are the same: None."""

    NAMES: ClassVar[dict[str, str]] = {}  # attributes whose key is not their camel case


class Said:
    """What is known of a value beyond its type.

    Attributes:
        description, tier: of a key.
        expected: the limits in words.
        ge, le, max_length, pattern: the limits.
    """

    __slots__ = ("description", "expected", "ge", "le", "max_length", "pattern", "tier")

    def __init__(
        self,
        expected: str = "",
        *,
        ge: int | None = None,
        le: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        description: str = "",
        tier: Tier = "could",
    ) -> None:
        self.expected = expected
        self.ge = ge
        self.le = le
        self.max_length = max_length
        self.pattern = pattern
        self.description = description
        self.tier = tier


def doc(text: str, tier: Tier = "could") -> Said:
    """Describe a key for the JSON schema and the documentation."""
    return Said(description=text, tier=tier)


def key_of(attribute: str) -> str:
    """Return the key of an attribute: `memory_size` is memorySize."""
    first, *rest = attribute.split("_")
    return first + "".join(word.capitalize() for word in rest)


CloudFormation = dict[str, Any]  # {Ref: X}, {Fn::GetAtt: [...]}: known after a deployment
Text = str | CloudFormation

MemorySize = Annotated[int, Said("a whole number of MB from 128 to 10240", ge=128, le=10240)]
Timeout = Annotated[int, Said("a whole number of seconds from 1 to 900", ge=1, le=900)]
EphemeralStorage = Annotated[int, Said("a whole number of MB from 512 to 10240", ge=512, le=10240)]
CacheSize = Annotated[int, Said("a whole number of MB, 1 to 10240", ge=1, le=10240)]
Count = Annotated[int, Said("a whole number, 0 or more", ge=0)]
ArchitectureName = Literal["x86_64", "arm64"]
Payload = Literal["1.0", "2.0"]
Description = Annotated[str, Said("at most 256 characters", max_length=256)]
Retention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip
Environment = dict[str, str | CloudFormation | None]
