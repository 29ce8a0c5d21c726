"""`bareboat export`: the service as a template for SAM, or for CloudFormation by other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.cloud import distinct, tell_built
from bareboat.cli.group import Command
from bareboat.cli.layers import layers_of
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal, shown
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from bareboat.aws.export import Kind

_YAML = (".yml", ".yaml")


@click.command(cls=Command)
@click.option("--sam", "kind", flag_value="sam", help="A template of AWS SAM.")
@click.option("--cloudformation", "kind", flag_value="cloudformation", help="A template of CloudFormation.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it to a file: YAML if it ends in .yaml or .yml, else JSON.",
)
@click.option("--locked", is_flag=True, help="Fail rather than change bareboat.lock, as a pipeline should.")
@service_options
@click.pass_obj
def export(terminal: Terminal, source: Source, kind: Kind | None, output: Path | None, locked: bool) -> None:
    """Write the service as a template that other tools deploy.

    It names the archives as files: `sam deploy`, or `aws cloudformation package`, uploads them.
    """
    from bareboat.artifact import LayerBuilder, build
    from bareboat.artifact.locking import Locking
    from bareboat.aws.export import export as exported

    if kind is None:
        raise click.UsageError("say for whom: --sam or --cloudformation")
    service = source.load(terminal)
    terminal.notes(service.notes)
    with terminal.progress("Packaging") as step:
        locking = Locking(locked=locked)
        builder = LayerBuilder(service, step, locking=locking)
        artifacts = distinct(build(service, on_step=step, layers=builder, locking=locking))
        layers = [*layers_of(artifacts), *builder.build_rest()]
    tell_built(terminal, artifacts)
    folder = output.parent if output is not None else Path()
    template = exported(service, artifacts, layers, kind=kind, folder=folder)
    if output is None:
        terminal.document(template)
    else:
        _write(output, template)
        resources = len(template["Resources"])
        terminal.result({"path": str(output), "resources": resources}, str(shown(output)))
    for variable in service.awaits:
        terminal.warning(f"{variable} needs AWS and stands in the template as it is written")
    name = str(shown(output)) if output is not None else "FILE"
    stack = service.provider.stack_name or f"{service.name}-{service.provider.stage}"
    terminal.next(*_commands(kind, name, stack, service.provider.region))


def _commands(kind: Kind, name: str, stack: str, region: str) -> tuple[str, ...]:
    """Return what deploys the template."""
    how = f"--stack-name {stack} --region {region} --capabilities CAPABILITY_IAM CAPABILITY_NAMED_IAM"
    if kind == "sam":
        return (f"sam deploy --template-file {name} --resolve-s3 {how}",)
    return (
        f"aws cloudformation package --template-file {name} --s3-bucket BUCKET --output-template-file packaged.yml",
        f"aws cloudformation deploy --template-file packaged.yml {how}",
    )


def _write(path: Path, template: dict[str, Any]) -> None:
    import json

    if path.suffix.lower() in _YAML:
        text = _yaml(template)
    else:
        text = json.dumps(template, indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BareboatError(f"{path} cannot be written: {error.strerror}", fix="--output with another file") from error


def _yaml(template: dict[str, Any]) -> str:
    """Return YAML without anchors, which CloudFormation does not take everywhere."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    text: str = yaml.dump(template, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
