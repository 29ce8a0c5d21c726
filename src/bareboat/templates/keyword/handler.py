"""GET and POST /keyword: a URL and a keyword in, {"exist": true} out."""

import base64
import json

from page import Refused, fetch

TIMEOUT_S = 10
MAX_KEYWORD = 200


def keyword(event, context):
    try:
        url, word = parameters(event)
        return answer(200, {"exist": word in fetch(url, timeout_s=TIMEOUT_S)})
    except Refused as refused:
        return answer(refused.status, {"message": str(refused)})


def parameters(event):
    """Return the URL and the keyword of a request, from its query (GET) or its JSON body (POST)."""
    if event.get("body"):
        given, several = body_of(event), {}
    else:
        given = event.get("queryStringParameters") or {}
        several = event.get("multiValueQueryStringParameters") or {}  # payload 1.0; 2.0 joins them with commas
    for name in ("url", "keyword"):
        if name not in given:
            raise Refused(400, f"{name} is missing")
        if not isinstance(given[name], str) or not given[name]:
            raise Refused(400, f"{name} must be a text that is not empty")
        if len(several.get(name) or ()) > 1:
            raise Refused(400, f"{name} is given more than once")
    if len(given["keyword"]) > MAX_KEYWORD:
        raise Refused(400, f"keyword is longer than {MAX_KEYWORD} characters")
    return given["url"], given["keyword"]


def body_of(event):
    try:
        body = event["body"]
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True).decode("utf-8")
        given = json.loads(body)
    except (TypeError, ValueError, RecursionError):
        raise Refused(400, "The body is not JSON") from None
    if not isinstance(given, dict):
        raise Refused(400, "The body must be an object with url and keyword")
    return given


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
