"""Web frameworks behind their adapters: FastAPI by Mangum, Flask by apig-wsgi, on all three kinds of front."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

SERVICE = f"""\
service: web
provider:
  name: aws
  runtime: python3.{sys.version_info.minor}
  memorySize: 1769
  timeout: 20
  environment: {{PYTHONPATH: {sysconfig.get_path("purelib")}}}
  apiGateway: {{binaryMediaTypes: ['*/*']}}
functions:
  fastapi:
    handler: with_fastapi.handler
    url: true
    events: [httpApi: "ANY /fastapi/{{proxy+}}", http: "ANY /fastapi/{{proxy+}}"]
  flask:
    handler: with_flask.handler
    url: true
    events: [httpApi: "ANY /flask/{{proxy+}}", http: "ANY /flask/{{proxy+}}"]
"""
FASTAPI = """\
from urllib.parse import parse_qsl

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str
    price: float


@app.post("/fastapi/items")
def items(item: Item):
    return {"name": item.name, "total": item.price * 2}


@app.post("/fastapi/form")
async def form(request: Request):
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


@app.get("/fastapi/cookies")
def cookies(request: Request, response: Response):
    response.set_cookie("one", "1", httponly=True)
    response.set_cookie("two", "2", path="/x")
    return dict(request.cookies)


@app.get("/fastapi/moved")
def moved():
    return RedirectResponse("/fastapi/cookies?from=moved", status_code=302)


@app.post("/fastapi/binary")
async def binary(request: Request):
    return Response((await request.body())[::-1], media_type="application/octet-stream",
                    headers={"content-disposition": "attachment; filename=x.bin"})


@app.get("/fastapi/files/{path:path}")
def files(path: str):
    return {"path": path}


@app.get("/fastapi/query")
def query(a: list[str] = Query(), b: str = "", q: str = ""):
    return {"a": a, "b": b, "q": q}


@app.delete("/fastapi/nothing", status_code=204)
def nothing():
    return None


handler = Mangum(app, lifespan="off")
"""
FLASK = """\
from apig_wsgi import make_lambda_handler
from flask import Flask, Response, jsonify, redirect, request

app = Flask(__name__)


@app.post("/flask/items")
def items():
    item = request.get_json()
    if set(item) != {"name", "price"}:
        return jsonify(detail="wrong"), 422
    return {"name": item["name"], "total": item["price"] * 2}


@app.post("/flask/form")
def form():
    return dict(request.form)


@app.get("/flask/cookies")
def cookies():
    response = jsonify(dict(request.cookies))
    response.set_cookie("one", "1", httponly=True)
    response.set_cookie("two", "2", path="/x")
    return response


@app.get("/flask/moved")
def moved():
    return redirect("/flask/cookies?from=moved", 302)


@app.post("/flask/binary")
def binary():
    return Response(request.get_data()[::-1], mimetype="application/octet-stream",
                    headers={"content-disposition": "attachment; filename=x.bin"})


@app.get("/flask/files/<path:path>")
def files(path):
    return {"path": path}


@app.get("/flask/query")
def query():
    return {"a": request.args.getlist("a"), "b": request.args.get("b"), "q": request.args.get("q", "")}


@app.delete("/flask/nothing")
def nothing():
    return "", 204


handler = make_lambda_handler(app, binary_support=True)
"""


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory, cloud_of: Any) -> Iterator[dict[str, str]]:
    """Where the fronts of a service with both applications are."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "serverless.yml").write_text(SERVICE)
    (folder / "with_fastapi.py").write_text(FASTAPI)
    (folder / "with_flask.py").write_text(FLASK)
    with cloud_of(folder) as cloud:
        yield cloud.urls


@pytest.fixture(params=["fastapi", "flask"])
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["httpApi", "rest", "url"])
def client(request: pytest.FixtureRequest, urls: dict[str, str], framework: str) -> Iterator[httpx.Client]:
    """A client of an application behind one kind of front."""
    front = f"url:{framework}" if request.param == "url" else request.param
    with httpx.Client(base_url=f"{urls[front]}/{framework}/", timeout=60) as made:
        yield made


def test_json_comes_back(client):
    good = client.post("items", json={"name": "☕", "price": 1.5})
    bad = client.post("items", json={"price": 1.5})

    assert (good.status_code, good.json()) == (200, {"name": "☕", "total": 3.0})
    assert good.headers["content-type"].startswith("application/json")
    assert bad.status_code == 422


def test_forms_are_read(client):
    data = {"name": "Zoë & co", "empty": "", "sign": "+=%"}

    assert client.post("form", data=data).json() == data


def test_cookies_go_both_ways(client):
    response = client.get("cookies", headers={"Cookie": "session=abc; theme=dark"})

    assert response.json() == {"session": "abc", "theme": "dark"}
    set_cookies = response.headers.get_list("set-cookie")
    assert [cookie.partition(";")[0] for cookie in set_cookies] == ["one=1", "two=2"]
    assert "httponly" in set_cookies[0].lower()
    assert "path=/x" in set_cookies[1].lower()


def test_redirects_lead_on(client, framework):
    response = client.get("moved")

    assert response.status_code == 302
    assert response.headers["location"].endswith(f"/{framework}/cookies?from=moved")


def test_bytes_are_the_same_in_reverse(client):
    data = bytes(range(256)) * 40

    response = client.post("binary", content=data, headers={"Content-Type": "application/octet-stream"})

    assert response.status_code == 200
    assert response.content == data[::-1]
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == "attachment; filename=x.bin"


@pytest.mark.parametrize("path", ["a/b/c.txt", "50%", "a+b", "a b"], ids=["plain", "percent", "plus", "space"])
def test_paths_arrive_as_they_were_meant(client, path):
    assert client.get("files/" + quote(path)).json() == {"path": path}


@pytest.mark.parametrize(
    ("framework", "front"),
    [("fastapi", "httpApi"), ("fastapi", "rest"), ("flask", "rest"), ("fastapi", "url"), ("flask", "url")],
)
def test_paths_beyond_latin_1_arrive(urls, framework, front):
    """Not Flask on an HTTP API: apig-wsgi takes rawPath for percent-encoded, which that of an HTTP API is not."""
    base = urls[f"url:{framework}" if front == "url" else front]
    found = httpx.get(f"{base}/{framework}/files/{quote('Zoë/☕ x')}", timeout=60)

    assert found.json() == {"path": "Zoë/☕ x"}


def test_a_query_keeps_all_values(client):
    response = client.get("query?a=1&a=2%26&b=&q=Zo%C3%AB+x")

    assert response.json() == {"a": ["1", "2&"], "b": "", "q": "Zoë x"}


def test_what_is_not_there_and_what_is_empty(client):
    assert client.get("missing").status_code == 404
    assert client.post("query").status_code == 405
    response = client.delete("nothing")
    assert (response.status_code, response.content) == (204, b"")
