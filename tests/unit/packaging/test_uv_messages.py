"""What uv says when it refuses, as a person is told it. The texts are uv 0.13.9's own, recorded."""

from __future__ import annotations

import pytest

from bareboat.packaging.uv import UvError, _environment

CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because requests==2.32.3 depends on urllib3>=1.21.1,<3 and you require requests==2.32.3, we can conclude that \
you require urllib3>=1.21.1,<3.
         And because you require urllib3<1, we can conclude that your requirements are unsatisfiable.
"""
ABSENT = """\
error: No solution found when resolving dependencies
  cause: Because nonexistent-foo-bar-xyz was not found in the package registry and you require \
nonexistent-foo-bar-xyz, we can conclude that your requirements are unsatisfiable.
"""
WHEELLESS = """\
error: No solution found when resolving dependencies
  cause: Because numpy==1.19.0 has no usable wheels and you require numpy==1.19.0, we can conclude that your \
requirements are unsatisfiable.

hint: Wheels are required for `numpy` because building from source is disabled for all packages \
(i.e., with `--no-build`)
"""
OLDER = """\
warning: something to ignore
  × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of requests==99 and you require requests==99, we can conclude that your requirements
      are unsatisfiable.
"""  # noqa: RUF001 - as uv 0.8 drew it


def test_the_reason_is_one_sentence_without_labels() -> None:
    reason = UvError("x", CONFLICT).reason

    assert reason.startswith("Because requests==2.32.3 depends on urllib3>=1.21.1,<3")
    assert reason.endswith(
        "And because you require urllib3<1, we can conclude that your requirements are unsatisfiable."
    )
    assert "cause:" not in reason


def test_what_was_under_way_comes_first() -> None:
    assert str(UvError("requirements.txt for python3.13", CONFLICT)).startswith(
        "requirements.txt for python3.13: Because"
    )


def test_a_package_that_does_not_exist_has_its_cure() -> None:
    assert "check the spelling" in str(UvError("x", ABSENT))


def test_hints_are_kept_apart() -> None:
    error = UvError("x", WHEELLESS)

    assert "hint" not in error.reason
    assert len(error.hints) == 1
    assert error.hints[0].startswith("Wheels are required for `numpy` because")


def test_the_drawing_of_older_releases_is_taken_off() -> None:
    reason = UvError("x", OLDER).reason

    assert "there is no version of requests==99" in reason
    assert not set("×╰─▶") & set(reason)  # noqa: RUF001


def test_an_end_without_a_word_is_said_so() -> None:
    assert "without saying why" in str(UvError("x", ""))


def test_variables_that_change_what_is_installed_do_not_reach_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "UV_TARGET",
        "UV_PRERELEASE",
        "UV_RESOLUTION",
        "UV_EXCLUDE_NEWER",
        "UV_PYTHON",
        "VIRTUAL_ENV",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, "surprise")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_OWN_PASSWORD", "UV_CACHE_DIR", "UV_OFFLINE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "kept")

    given = _environment()

    assert {name for name, value in given.items() if value == "surprise"} == set()
    assert sum(value == "kept" for value in given.values()) == 5
