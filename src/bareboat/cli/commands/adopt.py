"""`bareboat adopt`: what becomes of a stack that Serverless deployed, and its state as a version to go back to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.aws import confirm, connected
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bareboat.aws.adoption import Adoption
    from bareboat.aws.changes import Change

_ORIGINS = {
    "serverless": "deployed by Serverless 3 or osls",
    "bareboat": "deployed by bareboat already",
    "unknown": "not known by whom it was deployed",
}
_ADDRESSES = (
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGateway::RestApi",
    "AWS::Lambda::Url",
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
)


@click.command(cls=Command)
@click.option("--plan", is_flag=True, help="Only show what the first deployment would do; write nothing.")
@click.option("--stack", "stack_name", metavar="NAME", default="", help="The stack, where it is not serverless.yml's.")
@click.option(
    "--template",
    "template_file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A template in the place of a live stack; AWS is not asked.",
)
@click.option("--yes", is_flag=True, help="Record the live version without asking.")
@service_options
@click.pass_obj
def adopt(
    terminal: Terminal, source: Source, plan: bool, stack_name: str, template_file: Path | None, yes: bool
) -> None:
    """Take over a stack that Serverless 3 or osls deployed.

    Shows what the first `bareboat deploy` makes of it: what stays, what changes in place, what is new, and what would
    be removed or replaced, with the lines for serverless.yml that keep it. Exit 1 when data, an address or an API's id
    would be lost. Without --plan the live state is then written down, also where something would be lost, as a version
    that `bareboat rollback` can go back to; the stack itself changes with the first `bareboat deploy` only.
    """
    from bareboat.aws.adoption import adoption_of_stack, adoption_of_template

    if template_file is not None:
        adoption = adoption_of_template(source.load(terminal), _template(template_file), stack_name)
        _show(terminal, adoption, source, plan=True)
        _exit(adoption)
        return
    service, aws = connected(terminal, source)
    with terminal.progress("Asking CloudFormation"):
        adoption, live = adoption_of_stack(aws, service, stack_name)
    is_blocked = adoption.problems or any(one.imported_by for one in adoption.outputs)
    if plan or is_blocked or live.bucket is None or live.template is None:
        _show(terminal, adoption, source, plan=True)
        _exit(adoption)
        return
    from bareboat.aws.handover import record_live

    if not terminal.as_json:
        _show(terminal, adoption, source, plan=False)
    confirm(terminal, f"Write down what {adoption.stack_name} runs as a version to go back to?", yes=yes)
    record, is_new = record_live(aws, service, live.bucket, live.template)
    if terminal.as_json:
        terminal.document({**document(adoption), "recorded": record.number, "new": is_new})
        _exit(adoption)
        return
    terminal.write(f"version {record.number} is what {adoption.stack_name} runs" + ("" if is_new else ", as before"))
    allowed = "".join(f" --allow-loss {change.logical_id}" for change in adoption.losses)
    back = f"and back: bareboat rollback --to {record.number}" + (", without what was lost" if allowed else "")
    terminal.next(f"bareboat deploy{_stage(source)}{allowed}  ({back})")
    _exit(adoption)


def _template(file: Path) -> dict[str, Any]:
    """Read a template: JSON or YAML, bare or as `aws cloudformation get-template` prints it."""
    import json

    from bareboat.errors import ConfigurationError
    from bareboat.service.compose import compose
    from bareboat.service.nodes import plain

    data = file.read_bytes()
    try:
        said = json.loads(data)
    except ValueError:
        said = plain(compose(data, file.name))
    if isinstance(said, dict) and "TemplateBody" in said:
        said = said["TemplateBody"]
        if isinstance(said, str):
            said = plain(compose(said.encode(), file.name))
    if not isinstance(said, dict) or not isinstance(said.get("Resources"), dict):
        raise ConfigurationError(
            f"{file.name} is no template",
            expected="Resources, as `aws cloudformation get-template` gives them",
            where=str(file),
        )
    return said


def replaced(adoption: Adoption) -> list[Change]:
    """Return what is replaced, beside what each deployment makes anew."""
    from bareboat.aws.adoption import BY_NATURE

    return [one for one in adoption.of("replace", "maybe-replace") if one.type not in BY_NATURE]


def made_anew(adoption: Adoption) -> list[Change]:
    """Return what each deployment makes anew."""
    from bareboat.aws.adoption import BY_NATURE

    return [one for one in adoption.of("replace", "maybe-replace") if one.type in BY_NATURE]


def _exit(adoption: Adoption) -> None:
    if not adoption.is_safe:
        raise click.exceptions.Exit(1)


def document(adoption: Adoption) -> dict[str, Any]:
    """Return an adoption as JSON has it."""
    from bareboat.cli.changes import change_documents

    return {
        "stack": adoption.stack_name,
        "status": adoption.stack.status if adoption.stack else None,
        "origin": adoption.origin,
        "asked_cloudformation": adoption.asked,
        "safe": adoption.is_safe,
        "stays": [
            {"logical_id": one.logical_id, "type": one.type, "physical_id": one.physical_id, "changes": one.changed}
            for one in adoption.kept
        ],
        "changes": change_documents(adoption.changes),
        "losses": [change.logical_id for change in adoption.losses],
        "outputs_removed": [
            {"name": one.name, "export": one.export, "imported_by": [*one.imported_by]} for one in adoption.outputs
        ],
        "leftovers": {
            name: {"whose": known.whose, "what": known.what, "belongs": known.belongs}
            for name, known in adoption.leftovers.items()
        },
        "plugins": dict(adoption.plugins),
        "problems": [*adoption.problems],
        "write": adoption.write,
    }


def _show(terminal: Terminal, adoption: Adoption, source: Source, *, plan: bool) -> None:
    if terminal.as_json:
        terminal.document(document(adoption))
        return
    status = f" is {adoption.stack.status}," if adoption.stack else ", its template:"
    terminal.write(f"{adoption.stack_name}{status} {_ORIGINS[adoption.origin]}")
    if adoption.origin == "bareboat":
        terminal.write(
            "there is nothing to take over; code is not built here: bareboat deploy --plan says what changes"
        )
    _show_kept(terminal, adoption)
    _section(terminal, "new:", adoption.of("add"))
    _section(terminal, "replaced:", replaced(adoption))
    _section(terminal, "made anew, as by each deployment:", made_anew(adoption))
    _show_removed(terminal, adoption)
    _show_outputs(terminal, adoption)
    for name, text in adoption.plugins:
        terminal.write(f"{name}: {text}")
    for problem in adoption.problems:
        terminal.warning(problem)
    if adoption.write:
        terminal.write("to keep them, write into serverless.yml:")
        terminal.write(_yaml(adoption.write))
    _verdict(terminal, adoption, source, plan=plan)


def _show_kept(terminal: Terminal, adoption: Adoption) -> None:
    from bareboat.cli.changes import change_lines

    changed = {change.logical_id for change in adoption.of("modify")}
    known = [one for one in adoption.kept if one.physical_id and one.type in _ADDRESSES]
    terminal.write(f"stays: {len(adoption.kept)} resources, {len(changed)} of them change in place")
    for one in known:
        terminal.write(f"  {one.logical_id}  {one.type}  {one.physical_id}")
    if changed:
        terminal.write("changes in place:")
        for change in adoption.of("modify"):
            for line in change_lines(terminal, change):
                terminal.write(f"  {line}")


def _section(terminal: Terminal, title: str, changes: Iterable[Change]) -> None:
    from bareboat.cli.changes import change_lines

    lines = [line for change in changes for line in change_lines(terminal, change)]
    if lines:
        terminal.write(title)
        for line in lines:
            terminal.write(f"  {line}")


def _show_removed(terminal: Terminal, adoption: Adoption) -> None:
    """Show what is taken out of the stack, each kind with what is known of it."""
    from bareboat.cli.changes import change_lines

    kinds: dict[str, list[Change]] = {}
    for change in adoption.of("remove"):
        known = adoption.leftovers.get(change.logical_id)
        text = f"{known.whose}: {known.what}" if known else "nothing in serverless.yml asks for it"
        kinds.setdefault(text, []).append(change)
    if kinds:
        terminal.write("taken out of the stack:")
    for text, changes in kinds.items():
        for change in changes:
            for line in change_lines(terminal, change):
                terminal.write(f"  {line}")
        terminal.write(f"      {text}")


def _show_outputs(terminal: Terminal, adoption: Adoption) -> None:
    from bareboat.aws.leftovers import output_note

    for output in adoption.outputs:
        parts = [f"output {output.name} is removed"]
        if output.export:
            parts.append(f"its export is {output.export}")
        if note := output_note(output.name):
            parts.append(note)
        if output.imported_by:
            parts.append(f"{', '.join(output.imported_by)} imports it, so that the deployment fails")
        terminal.write("; ".join(parts))


def _yaml(write: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(write), sort_keys=False, allow_unicode=True, width=120)).rstrip()


def _verdict(terminal: Terminal, adoption: Adoption, source: Source, *, plan: bool) -> None:
    said = "CloudFormation says" if adoption.asked else "by the templates"
    if adoption.losses:
        names = ", ".join(change.logical_id for change in adoption.losses)
        terminal.error(f"the first deployment would lose {names}")
        return
    if not adoption.is_safe:
        return
    gone = [
        one.logical_id
        for one in adoption.of("remove")
        if (known := adoption.leftovers.get(one.logical_id)) is None or not known.belongs
    ]
    terminal.write(
        f"{said}: no data, no address and no id is lost"
        + ("" if replaced(adoption) else ", and nothing is replaced")
        + (f"; but {', '.join(gone)} would be gone" if gone else "")
    )
    if plan:
        step = f"bareboat adopt{_stage(source)}" if adoption.asked else f"bareboat adopt --plan{_stage(source)}"
        terminal.next(step)


def _stage(source: Source) -> str:
    return f" --stage {source.stage}" if source.stage else ""
