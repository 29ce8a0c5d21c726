"""Keys of `custom.bareboat.alarms`."""

from __future__ import annotations

from typing import Annotated

from bareboat.service.keys.base import Keys, Said, Text, doc

Threshold = Annotated[int, Said("a whole number, 1 or more", ge=1)]
Mail = Annotated[str, Said("an address such as you@example.com", pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Dollars = Annotated[float, Said("US dollars a month, 1 or more", ge=1)]


class AlarmsKeys(Keys):
    """When somebody is told that something is wrong."""

    email: Annotated[list[Mail] | None, doc("Who is told; AWS asks each to confirm.", "should")] = None
    topic: Annotated[Text | None, doc("The ARN of an SNS topic, instead of one that is made.")] = None
    errors: Annotated[
        bool | Threshold | None, doc("How many failed calls of a function in five minutes; 1.", "should")
    ] = None
    throttles: Annotated[
        bool | Threshold | None, doc("How many refused calls of a function in five minutes; 1.", "should")
    ] = None
    spend: Annotated[
        bool | Dollars | None, doc("US dollars a month for Lambda, API Gateway, S3 and CloudWatch; none.", "should")
    ] = None
