"""Function -> the sample events that a proof runs on, each as `bareboat invoke local` would hand it over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from bareboat.service.model import Function, Service


@dataclass(frozen=True, slots=True)
class Sample:
    """One event.

    Args:
        name: as a person knows it: a path from serverless.yml on, or `samples[1]` for one that stands there.
        event: JSON; "" when there is a problem.
        problem: why it cannot be used.
        file: None for one that stands in serverless.yml.
    """

    name: str
    event: str
    problem: str = ""
    file: Path | None = None

    def flag(self, path: Path | str | None = None) -> str:
        """Return the flag that hands it to `bareboat invoke local`; "" where it is too long to be typed.

        Args:
            path: how the file is shown, if not as its name.
        """
        if self.file is not None:
            return f" --path {quote(str(path or self.name))}"
        return f" --data {quote(self.event)}" if self.event and len(self.event) <= 200 else ""


def sample_events(service: Service, function: Function) -> tuple[Sample, ...]:
    """Return `functions.NAME.samples`, else the events that lie where templates put them.

    These are, for a service with one function, `event.json` and `events/*.json`; for others `events/NAME.json` and
    `events/NAME/*.json`.
    """
    if function.samples:
        return tuple(_sample(number, sample, service.folder) for number, sample in enumerate(function.samples))
    return tuple(_of_file(path, service.folder) for path in _usual(service, function))


def sample_files(service: Service, function: Function) -> tuple[Path, ...]:
    """Return the files that hold them."""
    if function.samples:
        return tuple(sample for sample in function.samples if isinstance(sample, Path))
    return tuple(_usual(service, function))


def _usual(service: Service, function: Function) -> Iterator[Path]:
    folder = service.folder
    found = [folder / "events" / f"{function.name}.json", *sorted((folder / "events" / function.name).glob("*.json"))]
    if len(service.functions) == 1:
        found = [folder / "event.json", *sorted((folder / "events").glob("*.json")), *found]
    yield from (path for path in dict.fromkeys(found) if path.is_file())


def _sample(number: int, sample: Any, folder: Path) -> Sample:
    if isinstance(sample, Path):
        return _of_file(sample, folder)
    return Sample(f"samples[{number}]", json.dumps(sample))


def _of_file(path: Path, folder: Path) -> Sample:
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    try:
        text = path.read_bytes().decode("utf-8-sig")
        json.loads(text, parse_constant=_refuse_constant)
    except OSError as error:
        return Sample(name, "", f"it cannot be read: {error.strerror}", path)
    except RecursionError:
        return Sample(name, "", "it is nested too deeply", path)
    except ValueError as error:
        return Sample(name, "", f"it is not JSON: {error}", path)
    return Sample(name, text, file=path)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")
