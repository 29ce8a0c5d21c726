"""Which removed files are needed, found in few trials; whether two answers are the same; which events are samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import ceil, log2
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.artifact.proof.compare import differences, same, shown, unstable_parts
from bareboat.artifact.proof.culprit import OutOfTrialsError, find_culprits
from bareboat.artifact.proof.events import Sample, sample_events
from bareboat.service.model import Function, Service


@given(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1, max_size=4)))
)
def test_just_the_needed_items_are_found_in_few_trials(case: tuple[int, set[int]]) -> None:
    count, needed = case
    trials = 0

    def works(put_back: frozenset[int]) -> bool:
        nonlocal trials
        trials += 1
        return needed <= put_back

    found = find_culprits(range(count), works, trials=1000)

    assert set(found) == needed
    assert trials <= len(needed) * (ceil(log2(count)) + 1)


def test_either_of_two_that_stand_in_for_each_other_is_enough() -> None:
    found = find_culprits("abcdef", lambda put_back: bool(put_back & {"b", "e"}), trials=100)

    assert found == ("b",)


def test_a_search_ends_when_its_trials_are_used_up() -> None:
    with pytest.raises(OutOfTrialsError):
        find_culprits(range(1000), lambda put_back: len(put_back) == 1000, trials=20)


BODY = {"statusCode": 200, "body": json.dumps({"proba": [0.1, 0.2], "time": 1})}


def answer(**inner: Any) -> str:
    return json.dumps({**BODY, "body": json.dumps({**json.loads(BODY["body"]), **inner})})  # type: ignore[arg-type]


def test_equal_answers_are_the_same() -> None:
    assert same(answer(), answer())


def test_a_difference_is_named_inside_of_the_body() -> None:
    (part,) = differences(answer(), answer(proba=[0.1, 0.20000000000000004]))

    assert shown(part) == "body.proba[1]"


def test_an_answer_of_another_shape_differs_as_a_whole() -> None:
    assert [shown(part) for part in differences("[1, 2]", "[1]")] == ["the answer"]


@pytest.mark.parametrize(("one", "other"), [("0.0", "-0.0"), ("1", "1.0"), ("1", "true"), ("null", "0"), ("NaN", "1")])
def test_values_that_python_takes_for_equal_are_not_the_same(one: str, other: str) -> None:
    assert not same(one, other)
    assert same(one, one)


def test_what_differs_from_run_to_run_is_not_compared() -> None:
    unstable = unstable_parts([answer(), answer(time=2), answer(time=3)])

    assert [shown(part) for part in unstable] == ["body.time"]
    assert same(answer(), answer(time=9), unstable)
    assert not same(answer(), answer(time=9, proba=[0.3, 0.2]), unstable)


@pytest.fixture
def own(
    make_service: Callable[..., Service], make_function: Callable[..., Function]
) -> Callable[..., tuple[Sample, ...]]:
    def samples(*others: str, **said: Any) -> tuple[Sample, ...]:
        one = make_function("predict", **said)
        return sample_events(make_service(one, *map(make_function, others)), one)

    return samples


def test_samples_are_files_or_stand_in_serverless_yml(own: Callable[..., tuple[Sample, ...]], tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('\ufeff{"body": "x"}', encoding="utf-8")

    first, second = own(samples=(tmp_path / "event.json", {"a": 1}))

    assert (json.loads(first.event), json.loads(second.event)) == ({"body": "x"}, {"a": 1})
    assert second.name == "samples[1]"


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "it is not JSON"), ("NaN", "it is not JSON: NaN is no number"), ("[" * 100_000, "nested")],
)
def test_a_sample_that_is_no_json_says_so(
    own: Callable[..., tuple[Sample, ...]], tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "event.json").write_text(content)

    (sample,) = own(samples=(tmp_path / "event.json",))

    assert said in sample.problem
    assert not sample.event


def test_the_events_that_a_template_brings_are_found(own: Callable[..., tuple[Sample, ...]], tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    for name in ("event.json", "events/b.json", "events/a.json"):
        (tmp_path / name).write_text("{}")

    assert [Path(sample.name).name for sample in own()] == ["event.json", "a.json", "b.json"]


def test_of_several_functions_each_has_its_own_events(own: Callable[..., tuple[Sample, ...]], tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    for name in ("event.json", "events/other.json", "events/predict.json"):
        (tmp_path / name).write_text("{}")

    assert [Path(sample.name).name for sample in own("other")] == ["predict.json"]
