"""The page in headless Chromium: load, send, error, reload, history, charts, keyboard, contrast, narrow screens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from bareboat.local.reload_record import Reload

from .conftest import FURTHER, Running

Open = Callable[..., Any]
PREDICT = "#/try/httpApi%20POST%20%2Fpredict"
ORDERS = "#/try/httpApi%20POST%20%2Forders"
HELLO = "#/try/httpApi%20GET%20%2Fhello%2F%7Bname%7D"
MEMBERS = "#/try/httpApi%20POST%20%2Fmembers"
VIEWS = {"picture": "", "try": PREDICT, "history": "#/history", "charts": "#/charts"}
ROW = {"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2}


def send(page: Any) -> Any:
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".answer-pane[aria-busy=false] .answer-head")
    return page.locator(".answer-pane")


def test_the_picture_leads_from_routes_over_authorizers_to_functions(open_page: Open):
    page = open_page()

    nodes = page.locator(".flow .node").all_inner_texts()

    assert page.title() == "Picture · harbour"
    assert [text.split("\n")[:2] for text in nodes if "/members" in text] == [["POST", "/members"]]
    assert {"members", "open", "you"} <= {text.strip().split("\n")[0] for text in nodes}
    assert any(text.startswith("schedule") for text in nodes)


def test_the_picture_counts_what_others_send(open_page: Open, running: Running):
    page = open_page()
    node = page.locator("a.route", has_text="/hello/{name}")
    before = node.get_attribute("aria-label")

    assert running.call("/hello/ann")[0] == 200

    page.wait_for_function("([node, before]) => node.ariaLabel !== before", arg=[node.element_handle(), before])
    assert " requests, 0 errors, median " in node.get_attribute("aria-label")


def test_a_sample_is_sent_and_shown_with_what_the_handler_got_and_gave(open_page: Open):
    page = open_page(PREDICT)

    assert page.get_by_label("sepal length").input_value() == "6"
    answer = send(page)

    assert answer.locator(".badge").first.inner_text() == "200"
    assert "virginica" in answer.locator(".prediction").inner_text()
    received = json.loads(page.get_by_label("The event that the handler received").inner_text())
    returned = json.loads(page.get_by_label("What the handler returned").inner_text())
    assert json.loads(received["body"]) == ROW
    assert json.loads(returned["body"])["label"] == "virginica"
    assert "REPORT RequestId" in page.get_by_label("Log lines").inner_text()
    assert "billed" in answer.locator(".timings").first.inner_text()


def test_what_is_typed_goes_out_as_numbers_rows_and_missing_values(open_page: Open):
    page = open_page(PREDICT)
    page.get_by_label("sepal length").fill("4.5")
    page.get_by_label("missing petal width").check()
    page.get_by_role("button", name="add a row").click()
    page.get_by_label("sepal width").fill("2")
    page.get_by_label("sepal width").press("Control+Enter")

    page.wait_for_selector(".prediction + .prediction")

    received = json.loads(page.get_by_label("The event that the handler received").inner_text())
    row = {**ROW, "sepal length": 4.5, "petal width": None}
    assert json.loads(received["body"]) == {"instances": [row, {**row, "sepal width": 2}]}
    page.get_by_role("tab", name="Body").click()
    assert json.loads(page.get_by_role("textbox", name="Body").input_value()) == json.loads(received["body"])


def test_a_value_outside_its_range_is_marked_and_refused_by_the_model(open_page: Open):
    page = open_page(PREDICT)
    page.get_by_label("sepal length").fill("99")

    answer = send(page)

    assert answer.locator(".badge").first.inner_text() == "400"
    assert page.get_by_label("sepal length").get_attribute("aria-invalid") == "true"


def test_a_prediction_is_explained_by_bars_that_add_up(open_page: Open):
    page = open_page(PREDICT)
    send(page)

    page.get_by_role("button", name="Explain this prediction").click()

    page.wait_for_selector(".why .bars li")
    names = page.locator(".why .name").all_inner_texts()
    assert sorted(name.rsplit(" ", 1)[0] for name in names) == sorted(ROW)
    assert "raw score of virginica" in page.locator(".why figcaption").inner_text()


def test_an_error_is_shown_with_its_reason_and_log_line(open_page: Open):
    page = open_page(ORDERS)
    page.get_by_role("textbox", name="Body").fill('{"item": "bomb"}')

    answer = send(page)

    assert answer.locator(".badge").first.inner_text() == "500"
    assert "ValueError: no bombs today" in answer.locator(".problem").inner_text()
    assert page.locator(".l-error").first.inner_text().startswith("[ERROR] ValueError")


def test_path_parameters_are_encoded_and_long_texts_cut_until_asked_for(open_page: Open):
    page = open_page(HELLO)
    page.get_by_role("textbox", name="{name}").fill("Ann & Bob/é")
    page.get_by_role("tab", name="Query and headers").click()
    page.get_by_label("Query name 1").fill("lines")
    page.get_by_label("Query value 1").fill("90")

    answer = send(page)

    assert '"hello": "Ann & Bob/é"' in answer.inner_text()
    assert "line 50" not in answer.inner_text()
    page.get_by_role("button", name="show all 93 lines").click()
    assert "line 50" in answer.inner_text()


def test_a_function_without_routes_is_invoked(open_page: Open):
    page = open_page("#/try/fn%3Anightly")
    page.get_by_role("textbox", name="Event").fill('{"moon": 1}')

    answer = send(page)

    assert '"slept": true' in answer.inner_text()
    assert "good night" in page.get_by_label("Log lines").inner_text()


def test_a_route_with_an_authorizer_takes_the_token_that_one_click_fills_in(open_page: Open):
    page = open_page(MEMBERS)
    page.get_by_role("textbox", name="Body").fill('{"item": "rope"}')
    assert send(page).locator(".badge").first.inner_text() == "401"

    page.get_by_role("button", name="Fill in a local one").click()
    page.wait_for_selector(".credential p")
    page.get_by_role("button", name="Send").click()

    page.wait_for_selector(".answer-head .badge.good")
    assert '"ordered": "rope"' in page.locator(".answer-pane").inner_text()


def test_the_history_is_filtered_opened_and_sent_again(open_page: Open, running: Running):
    running.call("/orders", {"item": "anchor-7"})
    running.call("/orders", {"item": "rope"})
    page = open_page("#/history")
    page.wait_for_selector(".log-table tbody tr")

    page.keyboard.press("/")
    page.keyboard.type("anchor-7")
    page.wait_for_function("() => document.querySelectorAll('.log-table tbody tr').length === 1")
    page.locator(".log-table a").first.click()
    page.wait_for_selector(".detail .facts")
    assert "order of anchor-7" in page.locator(".detail").get_by_label("Log lines").inner_text()
    page.get_by_role("button", name="Send again").click()

    page.wait_for_selector("form.request")
    assert json.loads(page.get_by_role("textbox", name="Body").input_value()) == {"item": "anchor-7"}
    assert send(page).locator(".badge").first.inner_text() == "201"


def test_the_history_grows_while_it_is_open(open_page: Open, running: Running):
    page = open_page("#/history")

    running.call("/hello/latecomer-31")

    page.wait_for_selector(".log-table a:has-text('latecomer-31')")


def test_a_row_that_tells_an_error_opens_from_its_second_line(open_page: Open, running: Running):
    running.call("/orders", {"item": "bomb"})
    page = open_page("#/history")

    page.locator(".log-table .why-line").first.click()

    page.wait_for_selector(".detail .problem")
    assert "no bombs today" in page.locator(".detail .problem").inner_text()


def test_a_path_that_is_not_there_is_on_the_picture(open_page: Open, running: Running):
    running.call("/nowhere")
    page = open_page()

    page.wait_for_selector(".node.route:has-text('other requests')")


def test_what_is_missing_or_no_json_is_not_sent(open_page: Open):
    page = open_page("#/try/" + quote("httpApi GET /hello/{name}", safe=""), may_fail=True)
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(300)
    assert page.locator(".answer-head").count() == 0
    page.goto(page.url.partition("#")[0] + "#/try/fn%3Anightly")
    page.get_by_role("textbox", name="Event").fill("{nope")

    page.keyboard.press("Control+Enter")

    assert "the event is no JSON" in page.locator(".answer-pane .problem").inner_text()


def test_charts_draw_what_happened_and_tell_it_as_a_table(open_page: Open, running: Running):
    running.call("/hello/ann")
    page = open_page("#/charts")

    page.wait_for_selector(".uplot canvas")

    assert page.locator("figure.chart").count() == 3
    page.locator("figure.chart summary").first.click()
    assert page.locator("figure.chart tbody tr").count() >= 1
    inked = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    assert page.locator(".uplot canvas").first.evaluate(inked)


def test_a_broken_change_is_told_until_a_new_version_serves(open_page: Open, running: Running):
    page = open_page()
    cloud = running.cloud

    async def tell(reload: Reload) -> None:
        cloud.tell_reload(reload)

    failed = Reload(time.time(), 12.0, 1, ("handler.py",), (), "'(' was never closed", "handler.py:7")
    running.run(tell(failed))
    page.wait_for_selector(".banner.bad")
    assert "handler.py:7" in page.get_by_role("alert").inner_text()

    running.serve_again(FURTHER)
    running.run(tell(Reload(time.time(), 210.0, cloud.generation, ("serverless.yml",), ("further",))))
    page.wait_for_selector(".banner.good")
    assert page.locator(".banner.bad").count() == 0
    page.wait_for_selector("a.route:has-text('/further')")


def test_a_server_that_is_gone_is_told(open_page: Open):
    page = open_page(may_fail=True)
    page.route("**/api/live*", lambda route: route.fulfill(status=500, json={"error": {"found": "gone"}}))

    page.wait_for_selector(".banner.bad", state="attached")
    page.unroute("**/api/live*")
    page.wait_for_selector(".banner.bad", state="detached")


def test_all_is_done_by_keyboard_alone(open_page: Open):
    page = open_page()

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    page.keyboard.press("2")
    page.wait_for_selector("form.request")
    focused = page.get_by_label("sepal length")
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Control+a")
    page.keyboard.type("5.5")
    page.keyboard.press("Enter")

    page.wait_for_selector(".answer-head")
    assert '\\"sepal length\\": 5.5' in page.get_by_label("The event that the handler received").inner_text()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wrong_to_axe(open_page: Open, running: Running, view: str, scheme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    running.call("/orders", {"item": "bomb"})
    page = open_page(VIEWS[view], color_scheme=scheme)
    if view == "try":
        send(page)
    elif view == "history":
        page.wait_for_selector(".log-table a")
        page.locator(".log-table a").first.click()
        page.wait_for_selector(".detail .facts")
    elif view == "charts":
        page.wait_for_selector(".uplot")

    found = axe.run(page)

    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("view", VIEWS)
def test_a_narrow_screen_has_all_without_scrolling_sideways(open_page: Open, running: Running, view: str):
    running.call("/hello/" + "a" * 120)
    page = open_page(VIEWS[view], width=360, height=740)
    if view == "try":
        send(page)
    page.wait_for_timeout(300)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_switch_of_colours_is_kept(open_page: Open):
    page = open_page(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)

    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate(ground)
    page.reload()
    page.wait_for_selector("main h1")

    assert dark != light
    assert page.evaluate(ground) == dark
