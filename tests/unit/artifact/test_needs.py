from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.artifact.needs import with_packages
from bareboat.errors import PackagingError
from bareboat.packaging.requirements import Requirements
from bareboat.packaging.target import Target
from bareboat.pipeline.foreign.model import Package

NEW, OLD = Target("3.13", "x86_64"), Target("3.11", "x86_64")
MODEL = Path("spam.joblib")


def project(text: str) -> Requirements:
    return Requirements("requirements.txt", Path(), text=text, origins=("requirements.txt:1",))


def test_packages_stand_beside_the_projects_own() -> None:
    joined = with_packages(project("boto3\n"), [(Package("scikit-learn", "1.9.1"), MODEL)], NEW)

    assert joined.text == "boto3\nscikit-learn==1.9.1\n"
    assert joined.origins == ("requirements.txt:1", "spam.joblib")


def test_another_version_is_an_error_that_names_both() -> None:
    with pytest.raises(PackagingError) as refused:
        with_packages(project("scikit_learn==1.6.0\n"), [(Package("scikit-learn", "1.9.1"), MODEL)], NEW)

    assert "scikit-learn==1.9.1, and requirements.txt:1 asks for 1.6.0" in str(refused.value)


def test_two_models_of_different_versions_are_an_error() -> None:
    wanted = [(Package("scikit-learn", "1.9.1"), MODEL), (Package("scikit-learn", "1.8.0"), Path("ham.joblib"))]

    with pytest.raises(PackagingError, match=r"1\.8\.0, and spam\.joblib asks for 1\.9\.1"):
        with_packages(project(""), wanted, NEW)


def test_a_package_that_no_index_has_is_an_error() -> None:
    with pytest.raises(PackagingError, match="installed from file:///work/own"):
        with_packages(project(""), [(Package("own", "0.1", "own", "file:///work/own"), MODEL)], NEW)


def test_onnxruntime_ships_without_what_only_its_tools_need() -> None:
    wanted = [(Package("onnxruntime", "1.23.2"), MODEL), (Package("numpy", ""), MODEL)]

    joined = with_packages(Requirements("", Path()), wanted, NEW)

    assert joined.text == "onnxruntime==1.23.2\nnumpy\n"
    assert {"sympy", "protobuf"} <= joined.no_deploy


def test_amazon_linux_2_takes_the_newest_onnxruntime_that_runs_there() -> None:
    wanted = [(Package("onnxruntime", "1.31.1"), MODEL), (Package("numpy", ""), MODEL)]

    assert with_packages(Requirements("", Path()), wanted, OLD).text == "onnxruntime\nnumpy<2\n"
