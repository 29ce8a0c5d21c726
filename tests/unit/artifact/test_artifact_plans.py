"""Which functions share an archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bareboat.artifact.plan import make_plans
from bareboat.errors import ConfigurationError
from bareboat.packaging.target import Target
from bareboat.service.model import Function, PackageRules, Service

Make = Callable[..., Function]
MakeService = Callable[..., Service]


def shape(service: Service, **wish: object) -> list[tuple[str, list[str], bool]]:
    return [
        (plan.name, [one.name for one in plan.functions], plan.whole)
        for plan in make_plans(service, **wish)  # type: ignore[arg-type]
    ]


def test_handler_functions_share_one_archive(make_service: MakeService, make_function: Make) -> None:
    assert shape(make_service(make_function("a"), make_function("b"))) == [("s", ["a", "b"], True)]


def test_a_model_function_has_its_own_without_the_projects_folder(
    make_service: MakeService, make_function: Make
) -> None:
    model = Path("/p/lgb.model")
    service = make_service(
        make_function("a"), make_function("m", model=model), make_function("w", model=model, before="x.y")
    )

    assert shape(service) == [("s", ["a"], True), ("s-m", ["m"], False), ("s-w", ["w"], True)]


def test_individually_and_patterns_of_a_function_separate_it(make_service: MakeService, make_function: Make) -> None:
    own = make_function("b", package=PackageRules(patterns=("!x",)))
    alone = make_function("c", package=PackageRules(individually=True))
    service = make_service(make_function("a"), own, alone, package=PackageRules(patterns=("!all",)))

    plans = make_plans(service)

    assert [plan.name for plan in plans] == ["s", "s-b", "s-c"]
    assert [plan.patterns for plan in plans] == [("!all",), ("!all", "!x"), ("!all",)]


def test_individually_at_the_service_separates_all(make_service: MakeService, make_function: Make) -> None:
    service = make_service(make_function("a"), make_function("b"), package=PackageRules(individually=True))

    assert shape(service) == [("s-a", ["a"], True), ("s-b", ["b"], True)]


def test_functions_of_two_targets_do_not_share(make_service: MakeService, make_function: Make) -> None:
    service = make_service(
        make_function("a"), make_function("b", architecture="x86_64"), make_function("c", python="3.12")
    )

    stems = [plan.stem for plan in make_plans(service)]

    assert stems == ["s-python3.13-arm64", "s-python3.13-x86_64", "s-python3.12-arm64"]
    assert len(make_plans(service, target=Target("3.13", "x86_64"))) == 1


def test_one_function_is_built_with_those_that_share_its_archive(
    make_service: MakeService, make_function: Make
) -> None:
    service = make_service(make_function("a"), make_function("b"), make_function("m", model=Path("/m")))

    assert shape(service, function="b") == [("s", ["a", "b"], True)]
    assert shape(service, function="m") == [("s-m", ["m"], False)]


def test_a_function_that_is_not_there_is_refused(make_service: MakeService, make_function: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"no function 'x'(.|\n)*one of a"):
        make_plans(make_service(make_function("a")), function="x")


def test_a_ready_zip_of_the_service_is_not_a_model_functions(make_service: MakeService, make_function: Make) -> None:
    ready = Path("/ready.zip")
    service = make_service(
        make_function("a"), make_function("m", model=Path("/m")), package=PackageRules(artifact=ready)
    )

    assert [(plan.name, plan.ready) for plan in make_plans(service)] == [("s", ready), ("s-m", None)]


def test_an_archive_for_another_system_has_another_name(make_service: MakeService, make_function: Make) -> None:
    (plan,) = make_plans(make_service(make_function("a")), target=Target("3.13", "arm64", "macos"))

    assert plan.stem == "s-python3.13-arm64-macos"
