"""Types that are only remembered: their ids and attributes are made up, by the shape that their schema has."""

from __future__ import annotations

import secrets
from typing import Any

from aws_cloud.formation.schemas import schema
from aws_cloud.kinds.base import Kind, Made, Place


class Remembered(Kind):
    """A type that nothing makes."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        service, _, noun = self._name.partition("::")[2].lower().partition("::")
        made = place.name()
        arn = place.arn(service, f"{noun}/{made}")
        if self._name == "AWS::Cognito::UserPool":
            made = f"{place.region}_{secrets.token_hex(5)}"
            arn = place.arn("cognito-idp", f"userpool/{made}")
        if self._name == "AWS::Kinesis::StreamConsumer":
            arn = f"{properties['StreamARN']}/consumer/{properties['ConsumerName']}:1"
            made = arn
        told = (schema(self._name) or {}).get("readOnlyProperties", ())
        names = [one.removeprefix("/properties/").replace("/", ".") for one in told]
        attributes = {one: arn if one.lower().endswith("arn") else made for one in (*names, "Arn")}
        return Made(made, attributes)
