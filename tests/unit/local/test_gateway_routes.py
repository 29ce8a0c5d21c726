"""Which route a request takes. Expectations: AWS's guide "Create routes for HTTP APIs in API Gateway"."""

from __future__ import annotations

import pytest

from bareboat.errors import LocalError
from bareboat.local.gateway.routes import METHODS, Route, RouteTable


def table(*keys: str) -> RouteTable:
    routes = []
    for key in keys:
        method, _, path = key.partition(" ")
        if key == "$default":
            method, path = "*", "*"
        routes.append(Route(key, "*" if method == "ANY" else method, path, function=f"f{len(routes)}"))
    return RouteTable(routes)


def taken(routes: RouteTable, method: str, path: str) -> str | None:
    found = routes.find(method, path)
    return None if found is None else found[0].key


PETS = ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default")


@pytest.mark.parametrize("order", [PETS, tuple(reversed(PETS))])
@pytest.mark.parametrize(
    ("request_line", "key"),
    [
        ("GET /pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/2", "GET /pets/dog/{id}"),
        ("GET /pets/cat/3", "GET /pets/{proxy+}"),
        ("POST /test/5", "ANY /{proxy+}"),
    ],
)
def test_the_examples_of_the_guide_take_the_routes_that_it_names(order, request_line, key):
    assert taken(table(*order), *request_line.split(" ")) == key


def test_the_default_route_takes_what_no_other_route_does():
    routes = table("GET /pets", "$default")

    assert taken(routes, "GET", "/pets") == "GET /pets"
    assert taken(routes, "POST", "/pets") == "$default"
    assert taken(routes, "GET", "/") == "$default"
    assert taken(routes, "OPTIONS", "*") == "$default"


def test_a_method_beats_any_on_the_same_path():
    routes = table("ANY /pets", "GET /pets")

    assert taken(routes, "GET", "/pets") == "GET /pets"
    assert taken(routes, "PATCH", "/pets") == "ANY /pets"


def test_a_more_specific_path_with_any_beats_a_method_on_a_greedy_one():
    assert taken(table("GET /{proxy+}", "ANY /pets/dog"), "GET", "/pets/dog") == "ANY /pets/dog"


def test_a_more_specific_path_without_the_method_leaves_the_request_to_a_less_specific_one():
    routes = table("POST /pets/dog", "GET /pets/{kind}", "DELETE /pets/{proxy+}")

    assert routes.find("GET", "/pets/dog") == (routes.routes[1], {"kind": "dog"})
    assert routes.find("DELETE", "/pets/dog") == (routes.routes[2], {"proxy": "dog"})
    assert routes.find("PUT", "/pets/dog") is None


def test_literal_segments_beat_parameters_from_the_left():
    routes = table("GET /{a}/b/{c}", "GET /a/{b}/c", "GET /a/b/{rest+}")

    assert taken(routes, "GET", "/a/b/c") == "GET /a/b/{rest+}"
    assert taken(routes, "GET", "/a/x/c") == "GET /a/{b}/c"
    assert routes.find("GET", "/x/b/y") == (routes.routes[0], {"a": "x", "c": "y"})


def test_head_and_options_need_routes_of_their_own():
    routes = table("GET /pets")

    assert taken(routes, "HEAD", "/pets") is None
    assert taken(routes, "OPTIONS", "/pets") is None


@pytest.mark.parametrize("path", ["/pets/", "//pets", "/pets//", "/Pets", "/pet", "/pets/1", "pets", ""])
def test_another_spelling_of_a_path_is_another_path(path):
    assert taken(table("GET /pets"), "GET", path) is None


def test_a_parameter_is_never_empty():
    assert taken(table("GET /pets/{id}"), "GET", "/pets/") is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/files/", ""),
        ("/files/a", "a"),
        ("/files/a/b/", "a/b/"),
        ("/files/a//b", "a//b"),
        ("/files/a%2Fb%20c", "a/b c"),
    ],
)
def test_a_greedy_parameter_holds_the_rest_of_the_path_decoded(path, value):
    # Seen on AWS: /handler/ takes ANY /handler/{proxy+} with {"proxy": ""}.
    routes = table("ANY /files/{proxy+}")

    assert routes.find("GET", path) == (routes.routes[0], {"proxy": value})


def test_a_greedy_parameter_needs_the_slash_before_it():
    assert taken(table("ANY /files/{proxy+}"), "GET", "/files") is None


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        ("a%20b", "a b"),
        ("%E2%98%95%20Coffee", "☕ Coffee"),
        ("a%2Fb", "a/b"),
        ("a+b", "a+b"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("%2525", "%25"),
        ("%FF", "\N{REPLACEMENT CHARACTER}"),
        ("%00", "\0"),
    ],
)
def test_a_path_parameter_is_decoded_once(encoded, decoded):
    routes = table("GET /items/{id}")

    assert routes.find("GET", f"/items/{encoded}") == (routes.routes[0], {"id": decoded})


def test_an_encoded_literal_is_the_same_path():
    assert taken(table("GET /predict"), "GET", "/%70redict") == "GET /predict"


def test_an_encoded_slash_does_not_make_two_segments():
    assert taken(table("GET /a/b"), "GET", "/a%2Fb") is None


def test_the_methods_of_a_table_are_all_methods_where_a_route_takes_any():
    assert table("POST /b", "GET /a", "POST /a").methods == ("GET", "POST")
    assert table("POST /b", "ANY /a").methods == METHODS
    assert table("$default").methods == METHODS


@pytest.mark.parametrize(
    "keys",
    [
        ("GET /a", "GET /a"),
        ("GET /a/{x}", "GET /a/{y}"),
        ("ANY /a/{x+}", "ANY /a/{y+}"),
        ("$default", "$default"),
    ],
)
def test_two_routes_for_the_same_requests_are_refused_by_name(keys):
    with pytest.raises(LocalError, match="is taken") as caught:
        table(*keys)

    assert "f0" in str(caught.value)
    assert "f1" in str(caught.value)


@pytest.mark.parametrize("path", ["/a/{b+}/c", "/a/{}", "/a/{+}", "/a/x{b}", "/a/{b", "/a/{b}/{b}", "a", "/{a}/{a+}"])
def test_a_path_that_api_gateway_refuses_is_refused(path):
    with pytest.raises(LocalError, match="API Gateway refuses"):
        table(f"GET {path}")


def test_a_very_long_path_is_searched_without_recursion_trouble():
    routes = table("GET /a/{b}", "ANY /x/{proxy+}")

    assert taken(routes, "GET", "/a/" + "/".join("b" * 5000)) is None
    assert taken(routes, "GET", "/x/" + "/".join("b" * 5000)) == "ANY /x/{proxy+}"


def test_why_there_is_no_route():
    routes = table("GET /a/{id}", "POST /a/{id}")

    assert routes.why_none("/b") == "no route has this path"
    assert routes.why_none("/a/1") == "no route: the path has GET, POST"
