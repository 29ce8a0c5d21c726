"""What the local cloud takes from a service, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.errors import LocalError
from bareboat.local.addresses import api_id, is_loopback
from bareboat.local.cloud import LocalCloud
from bareboat.local.fronts import http_api_routes
from bareboat.service.model import Function, Place, Provider, Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent, ScheduleEvent


def at(line: int) -> Place:
    return Place("serverless.yml", line, 9)


def function(name: str, *events: object, **settings: object) -> Function:
    return Function(name, name, at(1), "python3.13", "3.13", "arm64", handler="a.b", events=events, **settings)


def service(*functions: Function, name: str = "iris", stage: str = "dev") -> Service:
    return Service(
        name, Path("serverless.yml"), Path(), Provider(stage=stage), {function.name: function for function in functions}
    )


def test_routes_come_from_http_api_events_in_their_order():
    routes = http_api_routes(
        service(
            function("b", HttpApiEvent("POST", "/b", at(3)), ScheduleEvent(("rate(1 hour)",), at(4)), timeout_s=20),
            function("a", HttpEvent("GET", "/rest", at(6)), HttpApiEvent("*", "*", at(7)), http_api_payload="1.0"),
        )
    )

    assert [(route.key, route.function, route.payload, route.timeout_s, route.where) for route in routes] == [
        ("POST /b", "b", "2.0", 20, "serverless.yml:3:9"),
        ("$default", "a", "1.0", 6, "serverless.yml:7:9"),
    ]


def test_the_id_of_an_api_is_ten_letters_and_digits_and_stays():
    first = api_id(service())

    assert len(first) == 10
    assert first.isalnum()
    assert first == first.lower() == api_id(service())
    assert first != api_id(service(stage="prod"))
    assert first != api_id(service(name="other"))


def test_a_route_taken_twice_is_refused_at_its_place():
    twice = service(
        function("a", HttpApiEvent("GET", "/x/{id}", at(3))), function("b", HttpApiEvent("GET", "/x/{name}", at(5)))
    )

    with pytest.raises(LocalError, match="is taken") as caught:
        LocalCloud(twice, {})

    assert caught.value.problems[0].where == "serverless.yml:5:9"


def test_a_function_with_a_route_needs_an_artifact():
    with pytest.raises(LocalError, match="function a has no artifact") as caught:
        LocalCloud(service(function("a", HttpApiEvent("GET", "/", at(3)))), {})

    assert caught.value.problems[0].fix == "bareboat package --function a"


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("localhost", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.5", False), ("example.com", False)],
)  # fmt: skip
def test_loopback_is_known(host, local):
    assert is_loopback(host) is local
    assert LocalCloud(service(), {}, host=host).is_open_to_the_network is not local


def test_an_empty_host_is_refused():
    with pytest.raises(LocalError, match="every network"):
        LocalCloud(service(), {}, host="")
