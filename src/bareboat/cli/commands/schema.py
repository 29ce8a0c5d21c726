"""`bareboat schema`: the JSON schema of serverless.yml, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@click.option("--package", "of_package", is_flag=True, help="That of bareboat.json, which package --out writes.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@click.pass_obj
def schema(terminal: Terminal, output: Path | None, of_package: bool) -> None:
    """Print the JSON schema of serverless.yml, for editors.

    It has bareboat's own keys too. An editor with the YAML language server completes and checks each key when the file
    begins with `# yaml-language-server: $schema=serverless.schema.json`.
    """
    import json

    from bareboat.errors import BareboatError
    from bareboat.service import json_schema

    if of_package:
        from bareboat.artifact.contract import schema as of_contract

        document = of_contract()
    else:
        document = json_schema()
    if output is None:
        terminal.document(document)
        return
    try:
        output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BareboatError(f"{output} cannot be written: {error.strerror}") from error
    terminal.result({"path": str(output)}, str(output))
    if not of_package:
        terminal.say(f"Put this on the first line of serverless.yml: # yaml-language-server: $schema={output}")
