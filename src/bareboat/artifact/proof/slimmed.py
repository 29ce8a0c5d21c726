"""What an archive is made of -> its packages, slimmed as far as a proof goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from bareboat.artifact.beside import Beside
from bareboat.artifact.image_packages import boto3_folder
from bareboat.artifact.libraries import complete_libraries
from bareboat.artifact.model import MODEL_HANDLER
from bareboat.artifact.opt import module_folders, opt_folder, unpack_layers
from bareboat.artifact.plan import Plan, handler_strings
from bareboat.artifact.proof.events import sample_events
from bareboat.artifact.proof.examine import Examination, Item
from bareboat.artifact.proof.keep import with_kept
from bareboat.artifact.proof.outcome import Outcome, Said, keep_outcome, kept_outcome, key_of
from bareboat.artifact.proof.run import CHILD, Failure, Runs
from bareboat.artifact.proof.subject import Subject, make_subject
from bareboat.artifact.proof.tree import Members
from bareboat.errors import BareboatError, PackagingError, Problem
from bareboat.packaging.archive import chosen_members
from bareboat.packaging.cache import scratch_folder
from bareboat.packaging.dependencies import dependency_packs, originals_of
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.names import canonical
from bareboat.packaging.packs import Pack, PackReader
from bareboat.packaging.resolve import Resolution
from bareboat.packaging.sizes import measure, refuse_over_limit, shed_bytecode
from bareboat.packaging.slim import Slimming
from bareboat.packaging.target import Target, host_target
from bareboat.packaging.used import Used, without_unused
from bareboat.service.model import Note, Service


@dataclass(frozen=True, slots=True)
class Side:
    """What an archive is made of for one machine.

    Args:
        own: all packs but those of packages.
        beside: the layers.
        notes: what a person should know of the choice of packages.
    """

    plan: Plan
    own: tuple[Pack, ...]
    resolution: Resolution | None
    beside: Beside
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Slimmed:
    """Packages as they ship.

    Args:
        proof: for the manifest; None when nothing was taken away or nothing could be proved.
    """

    packs: tuple[Pack, ...]
    proof: Mapping[str, Any] | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """The build that a proof is part of.

    Args:
        twin: gathers the same archive for another plan: this machine's.
        wanted_libraries: `dockerExtraFiles`.
        scratch: a folder for what is made on the way.
    """

    service: Service
    slimming: Slimming
    interpreter: Interpreter | None
    twin: Callable[[Plan], Side]
    wanted_libraries: Sequence[str]
    scratch: Path
    on_step: Callable[[str], None]


def slimmed_packages(build: Build, declared: Side) -> Slimmed:
    """Return an archive's packages, slimmed, with the files that its samples turned out to need.

    Raises:
        PackagingError: level max, where it cannot be proved; or as `dependency_packs` does.
    """
    if declared.resolution is None:
        return Slimmed(())
    base = _base(build.slimming)
    packs = dependency_packs(declared.resolution, base, build.interpreter, on_step=build.on_step)
    at_most = build.slimming.level == "max"
    if not at_most and not any(pack.removed for pack in packs):
        return Slimmed(packs)
    hindrance = _hindrance(build, declared.plan)
    if hindrance is None and not at_most:
        _refuse_over_limit(build, declared, packs)
    if hindrance is not None:
        _refuse_at_most(build, [hindrance])
        text = f"the slimmed packages are not proved: {hindrance.found}; {hindrance.fix}"
        return Slimmed(packs, None, (Note("warning", text),) if build.service.proof else ())
    here = _this_machine(declared.plan.target)
    try:
        side = declared if here is None else build.twin(replace(declared.plan, target=here))
        outcome, on = _outcome(build, side, packs if side is declared else None), side.plan.target
    except _NotProvedError as error:
        _refuse_at_most(build, error.problems)
        return Slimmed(packs, None, error.notes)
    except BareboatError as error:
        if here is None:
            raise
        problem = error.problems[0]
        _refuse_at_most(
            build, [replace_found(problem, f"the archive cannot be made for this machine: {problem.found}")]
        )
        text = f"the slimmed packages are not proved, since they cannot be had for this machine: {problem.found}"
        return Slimmed(packs, None, (Note("warning", text),))
    kept = frozenset(one.path for one in outcome.kept)
    shipped = packs
    before: tuple[Pack, ...] = originals_of(packs)
    if at_most:
        before = (*before, *packs)
        shipped = dependency_packs(declared.resolution, build.slimming, build.interpreter, on_step=build.on_step)
        shipped = without_unused(shipped, _used(outcome, kept), build.slimming.patterns)
    shipped = with_kept(shipped, before, kept, build.interpreter, build.scratch)
    notes = (*_notes(outcome, build.service), *(side.notes if here is not None else ()))
    return Slimmed(shipped, _document(build, outcome, on), notes)


def _refuse_over_limit(build: Build, side: Side, packs: Sequence[Pack]) -> None:
    """Raise before the dear proof for what cannot ship: a proof only ever adds files."""
    everything = (*side.own, *packs)
    reserve, limit = side.beside.unzipped_bytes, side.plan.limit_bytes
    members, _ = shed_bytecode(chosen_members(everything)[0], reserve_bytes=reserve, limit_bytes=limit)
    sizes = measure(members, everything)
    refuse_over_limit(sizes, more_bytes=0, where=str(build.service.path), limit_bytes=limit, level=build.service.slim)


def replace_found(problem: Problem, found: str) -> Problem:
    """Return a problem with other words for what was found."""
    return Problem(found, expected=problem.expected, fix=problem.fix, where=problem.where)


class _NotProvedError(Exception):
    def __init__(self, problems: Sequence[Problem], notes: Iterable[Note]) -> None:
        super().__init__()
        self.problems = tuple(problems)
        self.notes = tuple(notes)


def _base(slimming: Slimming) -> Slimming:
    return replace(slimming, level="safe") if slimming.level == "max" else slimming


def _hindrance(build: Build, plan: Plan) -> Problem | None:
    """Return why nothing can be run at all."""
    if not build.service.proof:
        return Problem("custom.bareboat.proof is false", fix="take it out", where=str(build.service.path))
    if build.interpreter is None:
        python = plan.target.python
        return Problem(f"python{python} is not installed here", fix=f"uv python install {python}")
    if build.slimming.level == "max":
        silent = [one.name for one in plan.functions if not sample_events(build.service, one)]
        if silent:
            return Problem(
                f"functions.{silent[0]} has no samples, so that nothing tells what it needs",
                fix=f"write events that stand for real ones into files and name them: functions.{silent[0]}.samples: "
                "[event.json]",
                where=str(build.service.functions[silent[0]].where),
            )
    return None


def _refuse_at_most(build: Build, problems: Sequence[Problem]) -> None:
    """Raise where the level is max: it is nothing without a proof."""
    if build.slimming.level != "max":
        return
    said = tuple(
        Problem(
            f"slim: max needs a proof: {problem.found}",
            expected=problem.expected or "samples that the whole archive answers on this machine",
            fix=f"{problem.fix}; or --slim safe" if problem.fix else "--slim safe",
            where=problem.where or str(build.service.path),
        )
        for problem in problems
    )
    raise PackagingError(said[0].found, problems=said)


def _this_machine(target: Target) -> Target | None:
    """Return the twin's target, None when the archive itself runs here."""
    here = host_target(target.python, image=target.image or target.python, architecture=target.architecture)
    return None if (here.system, here.architecture) == (target.system, target.architecture) else here


def _outcome(build: Build, side: Side, base: tuple[Pack, ...] | None) -> Outcome:
    """Prove on this machine, or remember that it was proved.

    Args:
        base: the packs of the side's packages, slimmed safely, where they are known.
    Raises:
        _NotProvedError: the whole archive does not answer.
    """
    interpreter = build.interpreter
    assert interpreter is not None
    assert side.resolution is not None
    if base is None:
        base = dependency_packs(side.resolution, _base(build.slimming), interpreter, on_step=build.on_step)
    originals = {pack.name: pack for pack in originals_of(base)}
    candidates = base
    if build.slimming.level == "max":
        candidates = dependency_packs(side.resolution, build.slimming, interpreter, on_step=build.on_step)
    unslimmed = [each for pack in base for each in (originals.get(pack.name), pack) if each is not None]
    libraries, _, _ = complete_libraries(
        build.service,
        side.plan,
        (*side.own, *base),
        build.wanted_libraries,
        build.scratch,
        build.on_step,
        beside=side.beside,
        refusing=False,
    )
    whole = _members((*side.own, *unslimmed, *libraries))
    handlers = handler_strings(side.plan.functions, MODEL_HANDLER)
    opt = opt_folder(side.beside.layers)
    path = (*(module_folders(opt, interpreter.version) if opt else ()), *_boto3(side.own, interpreter))
    subjects = [
        make_subject(build.service, one, handlers[one.name], interpreter, opt=opt, path=path)
        for one in side.plan.functions
    ]
    key = key_of([
        build.slimming.level,
        str(side.plan.target),
        [str(interpreter.path), interpreter.release],
        sha256(CHILD.read_bytes()).hexdigest(),
        [[path, member.sha256] for path, (member, _) in whole.items()],
        [[pack.name, [[member.path, member.sha256] for member in pack.members]] for pack in candidates],
        [layer.digest for layer in side.beside.layers],
        [_subject_key(subject) for subject in subjects],
    ])  # fmt: skip
    known = kept_outcome(key)
    if known is not None:
        return known
    unpack_layers(side.beside.layers)
    build.on_step("Proving that the slimmed packages answer as the whole ones do")
    proof = _Proof(build, side, whole, candidates, libraries)
    outcome = proof.outcome(subjects, interpreter)
    keep_outcome(key, outcome)
    return outcome


def _boto3(own: Sequence[Pack], interpreter: Interpreter) -> tuple[Path, ...]:
    """Return the folder of the boto3 that Lambda's image has, where the project speaks of it and it is not there."""
    with PackReader() as reader:
        texts = (reader.unpacked(pack, m) for pack in own for m in pack.members if m.path.endswith(".py"))
        mentioned = any(b"boto3" in text or b"botocore" in text for text in texts)
    folder = boto3_folder(interpreter) if mentioned else None
    return (folder,) if folder is not None else ()


def _subject_key(subject: Subject) -> list[Any]:
    task = asdict(subject.task)
    samples = [[sample.name, sample.event, sample.problem] for sample in (*subject.samples, *subject.unreadable)]
    return [subject.name, task["handler"], sorted(task["env"].items()), task["path"], task["timeout_s"], samples]


def _members(packs: Sequence[Pack]) -> Members:
    return {member.path: (member, pack) for member, pack in chosen_members(packs)[0]}


def _used(outcome: Outcome, kept: frozenset[str]) -> Used:
    used = Used.from_paths(outcome.used, outcome.listed)
    return Used(used.files | kept, used.folders)


class _Proof:
    """One archive's examination, from the whole to the slimmed."""

    def __init__(
        self, build: Build, side: Side, whole: Members, candidates: Sequence[Pack], libraries: Sequence[Pack]
    ) -> None:
        self._build = build
        self._side = side
        self._whole = whole
        self._candidates = candidates
        self._libraries = libraries

    def outcome(self, subjects: Sequence[Subject], interpreter: Interpreter) -> Outcome:
        at_most = self._build.slimming.level == "max"
        with scratch_folder(self._build.scratch) as folder, Runs(folder) as runs:
            examination = Examination(subjects, folder, self._whole, runs, interpreter.version)
            examination.start()
            used = Used(frozenset())
            packs = tuple(self._candidates)
            if at_most:
                examination.run_whole()
                self._refuse_failures(subjects, examination)
                used = Used.from_paths(*examination.used())
                packs = without_unused(packs, used, self._build.slimming.patterns)
            slimmed = _members((*self._side.own, *packs, *self._libraries))
            kept = examination.against(slimmed, self._items(packs, slimmed), whole_too=not at_most)
            notes = [*self._said(subjects, examination), *examination.notes]
            answered = examination.answered()
            if not answered:
                raise _NotProvedError((), _told(notes, self._build.service))
            files, listed = examination.used() if at_most else (frozenset(), frozenset())
            return Outcome(
                samples={name: tuple(sample for sample, _ in answers) for name, answers in answered.items()},
                kept=kept,
                used=tuple(sorted(files)),
                listed=tuple(sorted(listed)),
                notes=tuple(notes),
                failed=_failed(subjects, examination),
            )

    def _items(self, packs: Sequence[Pack], slimmed: Members) -> list[Item]:
        """Return what differs between the whole and the slimmed one, by package and reason."""
        reasons = {
            path: (pack.name, removed.reason) for pack in packs for removed in pack.removed for path in removed.paths
        }
        items = []
        for path, (member, pack) in self._whole.items():
            now = slimmed.get(path)
            if path.endswith(".pyc") or (now is not None and now[0].sha256 == member.sha256):
                continue
            package, reason = reasons.get(path, (pack.name, "changed"))
            items.append(Item(path, package, reason))
        return sorted(items, key=lambda item: (item.package, item.reason, item.path))

    def _refuse_failures(self, subjects: Sequence[Subject], examination: Examination) -> None:
        problems: list[Problem] = []
        failures = examination.failures()
        answered = examination.answered()
        for subject in subjects:
            problems += [
                Problem(f"{sample.name} of functions.{subject.name}: {sample.problem}") for sample in subject.unreadable
            ]
            for sample_name, failure in failures.get(subject.name, ()):
                problems.append(
                    Problem(
                        _failure_text(subject.name, sample_name, failure),
                        fix=self._hint(subject, sample_name),
                        where=subject.where,
                    )
                )
            answers = answered.get(subject.name, ())
            if answers and all(_status(answer) >= 400 for _, answer in answers):
                text = f"functions.{subject.name} refuses every sample (status {_status(answers[0][1])})"
                problems.append(Problem(text, fix="add a sample that it answers", where=subject.where))
        if problems:
            raise _NotProvedError(problems, ())

    def _hint(self, subject: Subject, sample_name: str) -> str:
        flags = f" -f {subject.name}" if len(self._build.service.functions) > 1 else ""
        flags += "".join(sample.flag() for sample in subject.samples if sample.name == sample_name)
        return f"bareboat invoke local{flags} shows what it needs"

    def _said(self, subjects: Sequence[Subject], examination: Examination) -> list[Said]:
        notes = []
        failures = examination.failures()
        answered = examination.answered()
        for subject in subjects:
            for sample in subject.unreadable:
                text = f"{sample.name} of functions.{subject.name} is not proved: {sample.problem}"
                notes.append(Said("warning", text, subject.name))
            for sample_name, failure in failures.get(subject.name, ()):
                text = _failure_text(
                    subject.name, sample_name, failure, "with whole packages too, so that nothing is proved"
                ) + _left_out(failure.said, self._build.service)
                notes.append(Said("warning", text, subject.name))
            if subject.name in answered and not subject.samples and not subject.unreadable:
                text = (
                    f"functions.{subject.name} has no samples: only that it can be imported is proved of the slimmed "
                    f"packages; write an event into event.json and name it: functions.{subject.name}.samples: "
                    "[event.json]"
                )
                notes.append(Said("info", text, subject.name))
            answers = answered.get(subject.name, ())
            level = "warning" if all(_status(answer) >= 400 for _, answer in answers) else "info"
            for sample_name, answer in answers:
                if _status(answer) >= 400:
                    text = (
                        f"functions.{subject.name} answers {sample_name} with status {_status(answer)}: "
                        "a sample that it does not refuse would prove more"
                    )
                    notes.append(Said(level, text, subject.name))
        return notes


def _left_out(said: str, service: Service) -> str:
    """Say of a module that is missing that serverless.yml leaves it out, if it does."""
    missing = re.search(r"No module named '(\w+)", said)
    names = {canonical(name): name for name in service.python_requirements.no_deploy}
    name = names.get(canonical(missing[1])) if missing is not None else None
    return f"; custom.pythonRequirements.noDeploy leaves {name} out" if name else ""


def _failed(subjects: Sequence[Subject], examination: Examination) -> dict[str, tuple[str, ...]]:
    failures = examination.failures()
    found = {
        subject.name: tuple(
            [sample for sample, _ in failures.get(subject.name, ()) if sample]
            + [sample.name for sample in subject.unreadable]
        )
        for subject in subjects
    }
    return {name: samples for name, samples in found.items() if samples}


def _failure_text(function: str, sample: str, failure: Failure, aside: str = "") -> str:
    doing = f"fails on {sample}" if sample else "cannot be imported here"
    return f"functions.{function} {doing}{f' ({aside})' if aside else ''}: {failure.said}"


def _status(answer: str) -> int:
    import json

    try:
        document = json.loads(answer)
    except ValueError:
        return 0
    status = document.get("statusCode") if isinstance(document, dict) else None
    return status if isinstance(status, int) else 0


def _document(build: Build, outcome: Outcome, on: Target) -> dict[str, Any]:
    """Return what the manifest says: nothing that differs from one run to the next."""
    return {
        "level": build.slimming.level,
        "proved_on": f"{on.system} {on.architecture}",
        "samples": {name: list(samples) for name, samples in outcome.samples.items()},
        **({"failed": {name: list(samples) for name, samples in outcome.failed.items()}} if outcome.failed else {}),
        "kept": [
            {"path": one.path, "package": one.package, "reason": one.reason, "function": one.function,
             "sample": one.sample}
            for one in outcome.kept
        ],
    }  # fmt: skip


def _notes(outcome: Outcome, service: Service) -> tuple[Note, ...]:
    notes = []
    for one in outcome.kept[:5]:
        doing = f"answers {one.sample} otherwise" if one.sample else "cannot be imported"
        text = (
            f"{one.path} is kept ({one.reason} of {one.package}): without it functions.{one.function} {doing}: "
            f"{one.said}"
        )
        notes.append(Note("info", text))
    if len(outcome.kept) > 5:
        notes.append(Note("info", f"{len(outcome.kept) - 5} more files are kept; the manifest lists them under proof"))
    return (*notes, *_told(outcome.notes, service))


def _told(notes: Iterable[Said], service: Service) -> list[Note]:
    return [
        Note(said.level, said.text, str(service.functions[said.function].where) if said.function else "")  # type: ignore[arg-type]
        for said in notes
    ]
