"""A way to type a command and look at what came back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from bareboat.cli.root import bareboat

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type `bareboat ...` in this process; no BAREBOAT_ variable of the person who runs the tests is seen."""
    import os

    for name in [name for name in os.environ if name.startswith("BAREBOAT_")]:
        monkeypatch.delenv(name)

    def typed(*words: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(bareboat, list(words), input=stdin, env=env, prog_name="bareboat")

    return typed
