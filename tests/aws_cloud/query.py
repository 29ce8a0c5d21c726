"""The query protocol of CloudFormation: a form -> arguments, results -> XML, by botocore's model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from aws_cloud.messages import Answer
from aws_cloud.operations import model

_XMLNS = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def arguments(service: str, operation: str, body: bytes) -> dict[str, Any]:
    """Return what a form says, as botocore's callers write it."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    shape = model(service).operation_model(operation).input_shape
    return _structure(form, "", shape) if shape is not None else {}


def _structure(form: dict[str, str], prefix: str, shape: Any) -> dict[str, Any]:
    values = {}
    for name, member in shape.members.items():
        value = _value(form, f"{prefix}{name}", member)
        if value is not None:
            values[name] = value
    return values


def _value(form: dict[str, str], name: str, shape: Any) -> Any:
    if shape.type_name == "structure":
        return _structure(form, f"{name}.", shape) if any(key.startswith(f"{name}.") for key in form) else None
    if shape.type_name == "list":
        if form.get(name) == "":
            return []
        values: list[Any] = []
        while (one := _value(form, f"{name}.member.{len(values) + 1}", shape.member)) is not None:
            values.append(one)
        return values or None
    text = form.get(name)
    if text is None:
        return None
    if shape.type_name == "boolean":
        return text == "true"
    if shape.type_name in {"integer", "long"}:
        return int(text)
    return text


def rendered(service: str, operation: str, result: dict[str, Any]) -> Answer:
    """Return the XML of a result."""
    shape = model(service).operation_model(operation).output_shape
    inner = ""
    if shape is not None:
        inside = "".join(_xml(name, result.get(name), member) for name, member in shape.members.items())
        inner = f"<{operation}Result>{inside}</{operation}Result>"
    text = (
        f'<{operation}Response xmlns="{_XMLNS}">{inner}'
        f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, text.encode())


def _xml(name: str, value: Any, shape: Any) -> str:
    if value is None:
        return ""
    if shape.type_name == "structure":
        inside = "".join(_xml(key, value.get(key), member) for key, member in shape.members.items())
    elif shape.type_name == "list":
        inside = "".join(_xml("member", one, shape.member) for one in value)
    elif isinstance(value, bool):
        inside = str(value).lower()
    elif isinstance(value, datetime):
        inside = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    else:
        inside = escape(str(value))
    return f"<{name}>{inside}</{name}>"
