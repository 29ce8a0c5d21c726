"""`bareboat create`: a project from a template, or around a model file."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from bareboat.cli.group import Command
from bareboat.cli.models import tell_of_opening
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.project import Project

DEFAULT_TEMPLATE = "lightgbm-iris"


def _template_names(_ctx: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from bareboat.project import templates

    return [CompletionItem(t.name, help=t.description) for t in templates() if t.name.startswith(incomplete)]


@click.command(cls=Command)
@click.option(
    "-t",
    "--template",
    metavar="NAME",
    shell_complete=_template_names,
    help=f"The template to copy.  [default: {DEFAULT_TEMPLATE}]",
)
@click.option("-n", "--name", metavar="NAME", help="The service's name.  [default: the folder's]")
@click.option(
    "-p",
    "--path",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write; nothing in it is overwritten.  [default: the name]",
)
@click.option(
    "-m",
    "--model",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a project around this model file, or folder of MLflow's.",
)
@click.option("-l", "--list", "listed", is_flag=True, help="Show the templates.")
@click.pass_obj
def create(
    terminal: Terminal, template: str | None, name: str | None, path: Path | None, model: Path | None, listed: bool
) -> None:
    """Start a project from a template, or around your model file.

    \b
    bareboat create --template lightgbm-iris --name predict --path iris
    bareboat create --model churn.txt
    """
    from bareboat.project import create_project, create_project_for_model, find_template

    if listed:
        _list(terminal)
    elif model is not None:
        if template is not None:
            raise click.UsageError("--template and --model exclude each other")
        folder = path or Path(name or _stem(model))
        tell_of_opening(terminal, model)
        _show(terminal, create_project_for_model(model, folder, name=name))
    else:
        chosen = find_template(template or DEFAULT_TEMPLATE)
        _show(terminal, create_project(chosen, path or Path(name or chosen.name), name=name))


def _stem(model: Path) -> str:
    """Name a folder after a model file, never as the file itself is called."""
    return model.stem if model.suffix else f"{model.resolve().name}-service"


def _list(terminal: Terminal) -> None:
    from bareboat.project import templates

    known = templates()
    terminal.result([{"name": template.name, "description": template.description} for template in known])
    if not terminal.as_json:
        terminal.table(("template", "what it is"), [(template.name, template.description) for template in known])
        terminal.next(f"bareboat create --template {DEFAULT_TEMPLATE}")


def _show(terminal: Terminal, project: Project) -> None:
    terminal.result(
        {"service": project.name, "folder": str(project.folder), "files": list(project.files)},
        "\n".join(str(shown(project.folder) / name) for name in project.files),
    )
    here = project.folder == Path.cwd()
    terminal.next(*([] if here else [f"cd {quote(str(shown(project.folder)))}"]), "bareboat check", "bareboat serve")
