"""GET /hello: the event comes back."""

import json


def hello(event, context):
    body = {"message": "Hello from Lambda", "input": event}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
