"""`http.response` -> the answers of a method and of its integration."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template.draft import Json
from bareboat.service.triggers import HttpEvent

# lib/plugins/aws/package/compile/events/api-gateway/lib/validate.js: which errors of a function mean which status
STATUSES: dict[str, str] = {
    "200": "",
    **{status: rf"[\s\S]*\[{status}\][\s\S]*" for status in ("400", "401", "403", "404", "422")},
    "500": r"[\s\S]*(Process\s?exited\s?before\s?completing\s?request|\[500\])[\s\S]*",
    "502": r"[\s\S]*\[502\][\s\S]*",
    "504": r"([\s\S]*\[504\][\s\S]*)|(.*Task timed out after \d+\.\d+ seconds$)",
}
_TEMPLATED = ("AWS", "HTTP", "MOCK")


def method_responses(event: HttpEvent) -> list[Json]:
    """Return the statuses of a method with their headers; [] for proxies."""
    shared = _shared_headers(event)
    return [
        {
            "StatusCode": status,
            "ResponseParameters": {
                f"method.response.header.{name}": True for name in (*shared, *(said.get("headers") or {}))
            },
            "ResponseModels": {},
        }
        for status, said in _statuses(event).items()
    ]


def integration_responses(event: HttpEvent) -> list[Json]:
    """Return which answer of the integration becomes which status, its headers and templates."""
    response = event.options.get("response") or {}
    shared = _shared_headers(event)
    found = []
    for status, said in _statuses(event).items():
        headers = {**shared, **(said.get("headers") or {})}
        own = said.get("template")
        templates: Json = {"application/json": response["template"]} if response.get("template") else {}
        templates.update(own if isinstance(own, dict) else {"application/json": own} if own else {})
        entry: Json = {
            "StatusCode": status,
            "SelectionPattern": said.get("pattern") or "",
            "ResponseParameters": {f"method.response.header.{name}": value for name, value in headers.items()},
            "ResponseTemplates": templates,
        }
        if response.get("contentHandling") and status.startswith("2"):
            entry["ContentHandling"] = response["contentHandling"]
        found.append(entry)
    return found


def _statuses(event: HttpEvent) -> dict[str, Json]:
    """Return what is said of each status; one of them takes all that no pattern fits."""
    response = event.options.get("response") or {}
    if event.integration not in _TEMPLATED or not (response or event.integration == "AWS"):
        return {}
    given = {str(status): said or {} for status, said in (response.get("statusCodes") or {}).items()}
    if not given:
        return {status: {"pattern": pattern} for status, pattern in STATUSES.items()}
    if event.integration != "MOCK" and not any(said.get("pattern") == "" for said in given.values()):
        given["200"] = {"pattern": ""}
    return dict(sorted(given.items()))


def _shared_headers(event: HttpEvent) -> dict[str, Any]:
    """Return the headers of all statuses: CORS, and those of `response.headers`."""
    response = event.options.get("response") or {}
    found: dict[str, Any] = {}
    if event.cors is not None and (response or event.integration == "AWS"):
        own: Any = event.options.get("cors")
        own = own if isinstance(own, dict) else {}
        origin = ",".join(own["origins"]) if own.get("origins") else own.get("origin") or "*"
        found["Access-Control-Allow-Origin"] = f"'{origin}'"
        if own.get("allowCredentials"):
            found["Access-Control-Allow-Credentials"] = "true"
    found.update(response.get("headers") or {})
    return found
