"""The local cloud as a whole: an independent HTTP client, our gateway, AWS's runtime client on a real archive."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bareboat.errors import LocalError
from bareboat.service.api import Cors

JSON = {"Content-Type": "application/json"}
ERROR = '{"message":"Internal Server Error"}'


@pytest.fixture(scope="module")
def client(running):
    with httpx.Client(base_url=running.url, timeout=30) as client:
        yield client


def test_a_request_comes_back_as_the_event_that_the_handler_saw(client, running):
    response = client.post(
        "/predict?a=1&a=2&b=%C3%A4", content='{"sepal length": 6, "ä": "☕"}'.encode(),
        headers={**JSON, "X-Custom": "value", "Cookie": "session=1; theme=dark"},
    )  # fmt: skip

    event = response.json()
    assert response.status_code == 200
    assert event["routeKey"] == "POST /predict"
    assert event["rawPath"] == "/predict"
    assert event["rawQueryString"] == "a=1&a=2&b=%C3%A4"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "ä"}
    assert event["cookies"] == ["session=1", "theme=dark"]
    assert event["headers"]["x-custom"] == "value"
    assert event["headers"]["x-forwarded-port"] == str(running.port)
    assert json.loads(event["body"]) == {"sepal length": 6, "ä": "☕"}
    assert event["requestContext"]["requestId"] == response.headers["apigw-requestid"]
    assert response.headers["connection"] == "keep-alive"
    assert "date" in response.headers


def test_path_parameters_come_decoded(client):
    assert client.get("/items/%E2%98%95%20Coffee").json()["pathParameters"] == {"id": "☕ Coffee"}
    assert client.patch("/files/a/b%2Fc").json()["pathParameters"] == {"proxy": "a/b/c"}
    assert client.get("/old/items/7").json()["pathParameters"] == {"id": "7"}


def test_format_1_comes_where_it_is_configured(client):
    event = client.put("/old/echo?a=1&a=2", content=b"x", headers={"Content-Type": "text/plain"}).json()

    assert (event["version"], event["httpMethod"], event["body"]) == ("1.0", "PUT", "x")
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}


@pytest.mark.parametrize(
    ("returned", "status", "body", "content_type"),
    [
        ({"proba": [0.1, 0.2]}, 200, '{"proba":[0.1,0.2]}', "application/json"),
        (["a", 1, True, None], 200, '["a",1,true,null]', "application/json"),
        ("text", 200, "text", "application/json"),
        (None, 200, "null", "application/json"),
        ({"statusCode": 404, "body": "no"}, 404, "no", "text/plain; charset=utf-8"),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, "hi", "text/plain; charset=utf-8"),
        ({"statusCode": "201"}, 201, "", None),
        ({"statusCode": 204, "body": "not sent"}, 204, "", "text/plain; charset=utf-8"),
        ({"statusCode": 304}, 304, "", None),
        ({"statusCode": 200, "body": {"a": 1}}, 500, ERROR, "application/json"),
        ({"statusCode": "test"}, 500, ERROR, "application/json"),
        ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, 500, ERROR, "application/json"),
    ],
)  # fmt: skip
def test_what_a_handler_returns_is_what_a_client_gets(client, returned, status, body, content_type):
    response = client.post("/answer", content=json.dumps(returned), headers=JSON)

    assert (response.status_code, response.text, response.headers.get("content-type")) == (status, body, content_type)
    assert "apigw-requestid" in response.headers


def test_cookies_and_several_values_are_headers_of_their_own(client):
    new = client.post(
        "/answer", content=json.dumps({"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"]}), headers=JSON
    )
    old = client.post(
        "/old/answer", headers=JSON,
        content=json.dumps({"statusCode": 200, "multiValueHeaders": {"set-cookie": ["a=1", "b=2"], "x": ["1", "2"]}}),
    )  # fmt: skip

    assert new.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2"]
    assert old.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert old.headers.get_list("x") == ["1", "2"]


def test_format_1_infers_nothing(client):
    assert client.post("/old/answer", content=b'{"proba": 1}', headers=JSON).status_code == 500


@pytest.mark.parametrize("kind", ["raises", "exits", "dies", "set", "nan", "large", "bytes", "hangs"])
def test_a_function_that_goes_wrong_is_500_at_once_and_the_next_request_is_answered(client, running, kind):
    began = time.monotonic()
    response = client.get(f"/bad/{kind}")
    took_s = time.monotonic() - began

    assert (response.status_code, response.text) == (500, '{"message":"Internal Server Error"}')
    assert response.headers["content-type"] == "application/json"
    assert took_s < 4  # the function's own timeout is 1 s
    assert client.get("/bad/not").text == "fine"


@pytest.mark.parametrize("path", ["/broken", "/missing"])
def test_a_function_that_cannot_be_loaded_is_500_each_time(client, path):
    for _ in range(2):
        response = client.get(path)

        assert (response.status_code, response.text) == (500, '{"message":"Internal Server Error"}')


def test_a_route_that_is_not_there_is_404(client):
    for response in (client.get("/nothing"), client.get("/predict"), client.get("/echo/"), client.options("/predict")):
        assert (response.status_code, response.text) == (404, '{"message":"Not Found"}')


def test_head_has_the_length_and_no_body(client):
    response = client.head("/echo")

    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 100
    assert client.get("/echo").status_code == 200  # on the same connection


def test_bodies_reach_the_handler_as_they_are(client):
    def sent(content: bytes, content_type: str | None = "application/json") -> dict:
        headers = {} if content_type is None else {"Content-Type": content_type}
        return client.post("/echo", content=content, headers=headers).json()

    deep = b"[" * 50_000 + b"]" * 50_000
    assert sent(deep)["body"] == deep.decode()
    assert sent(b"not json")["body"] == "not json"
    for body, kind in ((b"\xff\xfe{", "application/json"), (b"a=1", "application/x-www-form-urlencoded"), (b"x", None)):
        event = sent(body, kind)
        assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (body, True)
    assert "body" not in client.post("/echo").json()


def test_a_chunked_body_is_put_together(client):
    event = client.post("/echo", content=iter([b'{"a":', b" 1}"]), headers=JSON).json()

    assert event["body"] == '{"a": 1}'
    assert event["headers"]["content-length"] == "8"
    assert "transfer-encoding" not in event["headers"]


def test_a_body_of_11_mb_is_413_and_one_over_lambdas_limit_too(client):
    for size in (11_000_000, 6 * 1024 * 1024 + 1):
        response = client.post("/echo", content=b"x" * size, headers=JSON)

        assert (response.status_code, response.text) == (413, '{"message":"Request Entity Too Large"}')
    assert client.get("/echo").status_code == 200


def test_each_request_is_told_with_what_became_of_it(client, running):
    seen = len(running.records)

    client.get("/items/7")
    client.get("/nothing?a=1")
    client.get("/bad/raises")

    found, lost, bad = running.records[seen : seen + 3]
    assert (found.method, found.path, found.status, found.function) == ("GET", "/items/7", 200, "echo")
    assert (lost.path, lost.status, lost.function) == ("/nothing", 404, "")
    assert (bad.status, bad.function, bad.error) == (500, "bad", "the function failed: RuntimeError: boom")
    assert found.latency_ms > 0
    assert len({found.request_id, lost.request_id, bad.request_id}) == 3


def test_the_log_of_each_invocation_is_told(client, running):
    seen = len(running.invocations)

    client.get("/bad/raises")

    (invocation,) = running.invocations[seen:]
    assert invocation.function.endswith("bad")
    assert "boom" in invocation.log
    assert "REPORT RequestId: " in invocation.log


def test_the_trace_of_the_gateway_is_the_trace_of_the_function(client):
    trace = "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c"

    assert client.get("/echo", headers={"X-Amzn-Trace-Id": trace}).json()["headers"]["x-amzn-trace-id"] == trace


def test_a_function_at_its_limit_is_503_and_free_again_afterwards(running, tmp_path):
    with httpx.Client(base_url=running.url, timeout=30) as one, httpx.Client(base_url=running.url, timeout=30) as two:
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(one.get, "/single", params={"folder": str(tmp_path)})
            wait_for(lambda: list(tmp_path.glob("began-*")))

            refused = two.get("/single", params={"folder": str(tmp_path)})

            (tmp_path / "go").touch()
            assert first.result().status_code == 200
        assert (refused.status_code, refused.text) == (503, '{"message":"Service Unavailable"}')
        assert two.get("/single", params={"folder": str(tmp_path)}).status_code == 200


def test_a_function_without_a_route_can_be_invoked(running):
    invocation = running.run(running.cloud.invoke("hidden", b'{"body": "[1, 2]"}'))

    assert json.loads(invocation.payload) == [1, 2]
    with pytest.raises(LocalError, match="no function 'other'"):
        running.run(running.cloud.invoke("other", b"{}"))


def test_the_routes_are_those_of_the_service(running):
    routes = {(route.method, route.path): route.function for route in running.cloud.routes}

    assert routes["POST", "/predict"] == "echo"
    assert routes["*", "/files/{proxy+}"] == "echo"
    assert "hidden" not in routes.values()


# Frameworks


@pytest.mark.parametrize("prefix", ["/asgi", "/old/asgi"])
def test_an_asgi_application_behind_mangum_makes_the_round_trip(client, prefix):
    body = bytes(range(256))
    sent = [("Cookie", "x=1; y=2"), ("X-Two", "a"), ("X-Two", "b"), ("Content-Type", "application/octet-stream")]

    response = client.put(f"{prefix}/%E2%98%95?a=1&a=2&b=%20", content=body, headers=sent)

    method, path, query, cookie, two, length = response.headers["x-lines"].split("|")
    assert (response.status_code, response.content) == (201, body[::-1])
    assert (method, path) == ("PUT", f"{prefix}/☕")
    assert httpx.QueryParams(query) == httpx.QueryParams("a=1&a=2&b=%20")
    assert (cookie, two.replace(", ", ","), length) == ("x=1; y=2", "a,b", "256")
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]


# Starting and ending


def test_a_port_in_use_is_told_with_the_fix(start_cloud, running):
    with pytest.raises(LocalError, match="in use") as caught:
        start_cloud(port=running.port)

    assert "--port" in caught.value.problems[0].fix


def test_closing_lets_requests_in_flight_end_and_leaves_no_process(start_cloud, tmp_path):
    running = start_cloud()
    client = httpx.Client(base_url=running.url, timeout=30)
    with client, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.get, "/gate", params={"folder": str(tmp_path)})
        wait_for(lambda: list(tmp_path.glob("began-*")))

        closing = asyncio.run_coroutine_threadsafe(running.cloud.close(), running.loop)
        running.run(asyncio.sleep(0))  # behind the first step of closing
        assert refuses_connections(running)
        assert not closing.done()
        (tmp_path / "go").touch()
        response = answer.result()
        closing.result(30)

    assert response.status_code == 200
    wait_for(lambda: not is_alive(int(response.text)))


def test_closing_does_not_wait_for_ever(start_cloud, tmp_path):
    running = start_cloud(grace_s=0.2)
    with httpx.Client(base_url=running.url, timeout=30) as client, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.get, "/gate", params={"folder": str(tmp_path)})
        wait_for(lambda: list(tmp_path.glob("began-*")))

        running.run(running.cloud.close())

        with pytest.raises(httpx.HTTPError):
            answer.result()
    assert running.cloud.processes == 0


def test_closing_ends_an_invocation_without_a_route_too(start_cloud, tmp_path):
    running = start_cloud()
    event = json.dumps({"queryStringParameters": {"folder": str(tmp_path)}}).encode()
    invocation = asyncio.run_coroutine_threadsafe(running.cloud.invoke("gate", event), running.loop)
    wait_for(lambda: list(tmp_path.glob("began-*")))

    running.run(running.cloud.close())

    with pytest.raises(LocalError, match="stopped"):
        invocation.result(10)
    with pytest.raises(LocalError):
        running.run(running.cloud.invoke("gate", event))


def test_a_cloud_closed_while_its_functions_get_ready_ends_too(start_cloud):
    running = start_cloud()

    running.run(running.cloud.close())

    assert refuses_connections(running)


# CORS, as a browser has it


def test_a_browser_of_another_origin_is_served_when_configured(start_cloud):
    origin = "http://localhost:8080"
    running = start_cloud(cors=Cors(allowed_origins=(origin,), allowed_headers=("content-type",), max_age_s=60))
    with httpx.Client(base_url=running.url, timeout=30) as client:
        asked = client.options("/answer", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        response = client.post("/answer", content=b'{"a": 1}', headers={**JSON, "Origin": origin})

    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == origin
    assert asked.headers["access-control-allow-headers"] == "content-type"
    assert (response.json(), response.headers["access-control-allow-origin"]) == ({"a": 1}, origin)


# Load


def test_many_requests_at_once_are_each_answered_with_their_own(running):
    async def exchange(reader, writer, number: int) -> None:
        body = b'{"statusCode": 200, "body": "%d"}' % number
        writer.write(
            b"POST /answer HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(length) == b"%d" % number

    async def connection(numbers: range) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        for number in numbers:
            await exchange(reader, writer, number)
        writer.close()
        await writer.wait_closed()

    async def load() -> None:
        await asyncio.gather(*(connection(range(start, 2000, 16)) for start in range(16)))

    asyncio.run(load())


def wait_for(condition, timeout_s: float = 20.0) -> None:
    """Wait until something is so, looking often."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def refuses_connections(running) -> bool:
    try:
        running.connect().close()
    except OSError:
        return True
    return False
