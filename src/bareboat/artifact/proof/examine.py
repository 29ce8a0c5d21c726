"""Whole and slimmed members -> whether every function answers alike, and if not, which files it needs.

Both are laid out and run side by side. A difference is looked at again, each run alone, before it counts: what differs
between two runs of the whole one says nothing of slimming.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from bareboat.artifact.proof.compare import Part, differences, shown, unstable_parts
from bareboat.artifact.proof.culprit import OutOfTrialsError, find_culprits
from bareboat.artifact.proof.outcome import Kept, Said
from bareboat.artifact.proof.run import Failure, Report, Runs, Task
from bareboat.artifact.proof.subject import Subject
from bareboat.artifact.proof.tree import Members, Trial, lay_out
from bareboat.packaging.used import normalised

_TRIALS = 48
_ALONE = 16  # files that are tried one by one, without their groups first
_SIDE_BY_SIDE = 4


@dataclass(frozen=True, slots=True)
class Item:
    """A file that slimming took away or changed."""

    path: str
    package: str
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A sample (or the import: sample "") that the slimmed one answers otherwise."""

    function: str
    sample: str
    said: str


class Examination:
    """The runs of one archive's functions.

    Args:
        folder: a new folder to work in.
        whole: members of the artifact as if nothing had been slimmed.
        python: the version that runs.
    """

    def __init__(self, subjects: Sequence[Subject], folder: Path, whole: Members, runs: Runs, python: str) -> None:
        self._subjects = subjects
        self._folder = folder
        self._whole = whole
        self._runs = runs
        self._python = python
        self._reports: dict[str, Report] = {}
        self._unstable: dict[tuple[str, int], frozenset[Part]] = {}
        self._took_s = 0.0
        self.notes: list[Said] = []

    @property
    def whole_folder(self) -> Path:
        """Return where the whole one is laid out."""
        return self._folder / "whole"

    def start(self) -> None:
        """Lay the whole one out."""
        lay_out(self.whole_folder, self._whole)

    def run_whole(self) -> None:
        """Run the whole one, traced, and remember what it answers."""
        began = perf_counter()
        self._reports = self._all(self._subjects, self.whole_folder, trace=True)
        self._took_s = perf_counter() - began

    def against(self, slimmed: Members, items: Sequence[Item], *, whole_too: bool) -> tuple[Kept, ...]:
        """Compare with the slimmed one; return the files that must be kept, () when both answer alike.

        Args:
            whole_too: run the whole one at the same time.
        """
        folder = self._folder / "slimmed"
        if not whole_too:
            lay_out(folder, slimmed, beside=self.whole_folder, there=self._whole)
            found = self._differences(self._all(self._proved(), folder))
        else:
            with self._runs.threads(1) as thread:
                whole = thread.submit(self.run_whole)
                lay_out(folder, slimmed, beside=self.whole_folder, there=self._whole)
                reports = self._all(self._subjects, folder)
                whole.result()
            if any(report.failures for report in self._reports.values()):
                self._again_alone()
            found = self._differences(reports)
        if found:
            found = self._differences(self._all(self._proved(), folder, alone=True))
        if found:
            self._learn_what_is_unstable()
            found = self._differences(self._all(self._proved(), folder, alone=True))
        if not found:
            return ()
        trial = Trial(self._folder / "trial", (self.whole_folder, self._whole), (folder, slimmed), self._python)
        return self._culprits(trial, items, found)

    def failures(self) -> dict[str, list[tuple[str, Failure]]]:
        """Return for each function what fails in the whole one: sample ("" for the import) and why."""
        found: dict[str, list[tuple[str, Failure]]] = {}
        for subject in self._subjects:
            report = self._reports[subject.name]
            if report.imported is not None:
                found[subject.name] = [("", report.imported)]
                continue
            named = zip(subject.samples, report.answers, strict=True)
            failed = [(sample.name, answer) for sample, answer in named if isinstance(answer, Failure)]
            if failed:
                found[subject.name] = failed
        return found

    def answered(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Return for each function that could be imported (sample, answer) of the samples that were answered."""
        return {
            subject.name: tuple(
                (sample.name, answer)
                for sample, answer in zip(subject.samples, self._reports[subject.name].answers, strict=True)
                if isinstance(answer, str)
            )
            for subject in self._subjects
            if self._reports[subject.name].imported is None
        }

    def used(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the paths that the whole one used, and the folders that it listed."""
        reports = self._reports.values()
        return (
            frozenset().union(*(report.used for report in reports)),
            frozenset().union(*(report.listed for report in reports)),
        )

    def _proved(self) -> list[Subject]:
        return [subject for subject in self._subjects if self._reports[subject.name].imported is None]

    def _all(
        self, subjects: Sequence[Subject], folder: Path, *, trace: bool = False, alone: bool = False
    ) -> dict[str, Report]:
        def run(subject: Subject) -> Report:
            return self._runs.run(subject.task, folder, trace=trace)

        if alone or len(subjects) < 2:
            return {subject.name: run(subject) for subject in subjects}
        with self._runs.threads(_SIDE_BY_SIDE) as threads:
            return dict(zip((subject.name for subject in subjects), threads.map(run, subjects), strict=True))

    def _again_alone(self) -> None:
        """Run what failed once more, by itself: two runs at once may have been in each other's way in /tmp."""
        for subject in self._subjects:
            failures = self._reports[subject.name].failures
            if failures and not any(failure.expired for failure in failures):
                self._reports[subject.name] = self._runs.run(subject.task, self.whole_folder, trace=True)

    def _learn_what_is_unstable(self) -> None:
        """Run the whole one twice more; what differs between its own answers is not compared."""
        for subject in self._proved():
            first = self._reports[subject.name]
            more = [self._runs.run(subject.task, self.whole_folder) for _ in range(2)]
            for number, answer in enumerate(first.answers):
                others = [report.answers[number] for report in more if report.imported is None]
                texts = [text for text in (answer, *others) if isinstance(text, str)]
                parts = unstable_parts(texts)
                if parts:
                    self._unstable[subject.name, number] = parts
                    self._say_unstable(subject, number, parts)

    def _say_unstable(self, subject: Subject, number: int, parts: frozenset[Part]) -> None:
        names = sorted(map(shown, parts))
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        text = (
            f"functions.{subject.name} answers {subject.samples[number].name} otherwise in every run: in {some}. "
            + ("Only that it answers was compared" if () in parts else "The rest was compared")
        )
        self.notes.append(Said("info", text))

    def _differences(self, reports: Mapping[str, Report]) -> list[Difference]:
        found: list[Difference] = []
        for subject in self._proved():
            if subject.name in reports:
                found += self._of_one(subject, reports[subject.name])
        return found

    def _of_one(self, subject: Subject, report: Report) -> Iterable[Difference]:
        if report.imported is not None:
            yield Difference(subject.name, "", report.imported.said)
            return
        expected = self._reports[subject.name].answers
        for number, (sample, was, now) in enumerate(zip(subject.samples, expected, report.answers, strict=True)):
            if isinstance(was, Failure):
                continue
            if isinstance(now, Failure):
                yield Difference(subject.name, sample.name, now.said)
                continue
            parts = differences(was, now, self._unstable.get((subject.name, number), frozenset()))
            if parts:
                yield Difference(subject.name, sample.name, f"it answers otherwise in {shown(parts[0])}")

    # Which files it is

    def _culprits(self, trial: Trial, items: Sequence[Item], found: Sequence[Difference]) -> tuple[Kept, ...]:
        names = {one.function for one in found}
        brief = max(10.0, 10.0 * self._took_s)  # a trial that takes ten times as long is one that hangs
        subjects = [_hurried(subject, brief) for subject in self._subjects if subject.name in names]
        last: dict[frozenset[Item], list[Difference]] = {frozenset(): list(found)}

        def differing(put_back: frozenset[Item]) -> list[Difference]:
            if put_back not in last:
                trial.restore(item.path for item in put_back)
                last[put_back] = self._differences(self._all(subjects, trial.folder, alone=True))
            return last[put_back]

        culprits = _search(items, self.used()[0], lambda put_back: not differing(put_back))
        if len(culprits) == len(items):
            whole = ", ".join(sorted({item.package for item in culprits}))
            text = f"no file by itself explains why the slimmed packages answer otherwise: all files of {whole} ship"
            self.notes.append(Said("warning", text))
        kept = []
        for item in culprits:
            few = len(culprits) <= 8
            without = differing(frozenset(culprits) - {item}) if few and len(culprits) > 1 else list(found)
            why = (without or list(found))[0]
            kept.append(Kept(normalised(item.path), item.package, item.reason, why.function, why.sample, why.said))
        return tuple(kept)


def _search(items: Sequence[Item], used: frozenset[str], works: Callable[[frozenset[Item]], bool]) -> tuple[Item, ...]:
    """Return a small set of items that works: among those that the whole one used, if these suffice; else among all."""
    traced = [item for item in items if item.path in used]
    scope = next((scope for scope in (traced, list(items)) if scope and works(frozenset(scope))), None)
    if scope is None:
        return tuple(items)
    try:
        if len(scope) > _ALONE:
            groups: dict[tuple[str, str], list[Item]] = {}
            for item in scope:
                groups.setdefault((item.package, item.reason), []).append(item)
            chosen = find_culprits(
                sorted(groups),
                lambda put_back: works(frozenset(item for group in put_back for item in groups[group])),
                trials=_TRIALS,
            )
            scope = [item for group in chosen for item in groups[group]]
        return find_culprits(scope, works, trials=_TRIALS)
    except OutOfTrialsError:
        return tuple(scope)


def _hurried(subject: Subject, seconds: float) -> Subject:
    limits = subject.task.limits
    brief = replace(limits, init_s=min(limits.init_s, seconds), event_s=min(limits.event_s, seconds))
    task: Task = replace(subject.task, limits=brief)
    return replace(subject, task=task)
