"""docs/serverless-yml.md names every key, event, variable and refusal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bareboat.service import runtimes, sources
from bareboat.service.check import known_keys
from bareboat.service.keys import alarms, apis, deployment, events, file, functions, provider, requirements

TEXT = (Path(__file__).parents[3] / "docs" / "serverless-yml.md").read_text()
WORDS = {
    word
    for span in re.findall(r"`([^`\n]+)`", re.sub(r"(?s)```.*?```", "", TEXT))
    for word in re.findall(r"[A-Za-z0-9_]+", span)
}
KINDS = [
    kind
    for module in (alarms, apis, deployment, events, file, functions, provider, requirements)
    for kind in vars(module).values()
    if isinstance(kind, type) and kind.__module__ == module.__name__ and kind.__name__.endswith(("Keys", "Ref"))
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_key_is_in_the_documentation(kind):
    assert not {key for key in known_keys(kind) if key not in WORDS} - {"modules", "localPath", "nullable"}


def test_every_source_and_git_fact_is_in_the_documentation():
    assert not set(sources.KNOWN_SOURCES) - WORDS
    assert not set(sources._GIT) - WORDS


def test_every_refusal_is_in_the_documentation():
    assert not {*events.REFUSED_EVENTS, *file.REFUSED_KEYS, *file.REFUSED_PROVIDER_KEYS} - WORDS


def test_the_runtimes_are_in_the_documentation():
    for name in (runtimes.LIVE[0], runtimes.LIVE[-1], runtimes.RETIRED[0], runtimes.RETIRED[-1], runtimes.STAND_IN):
        assert name in TEXT
