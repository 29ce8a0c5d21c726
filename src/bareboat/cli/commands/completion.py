"""`bareboat completion`: the script that lets a shell complete commands, options and names."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal

INSTALL = {
    "bash": "bareboat completion bash > ~/.local/share/bash-completion/completions/bareboat",
    "zsh": "bareboat completion zsh > ~/.zfunc/_bareboat   # with fpath+=~/.zfunc before compinit in ~/.zshrc",
    "fish": "bareboat completion fish > ~/.config/fish/completions/bareboat.fish",
}


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(sorted(INSTALL)))
@click.pass_obj
def completion(terminal: Terminal, shell: str) -> None:
    """Print the completion script of bash, zsh or fish.

    \b
    bash  bareboat completion bash > ~/.local/share/bash-completion/completions/bareboat
    zsh   bareboat completion zsh > ~/.zfunc/_bareboat
    fish  bareboat completion fish > ~/.config/fish/completions/bareboat.fish
    """
    import sys

    from click.shell_completion import get_completion_class

    from bareboat.cli.root import bareboat

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(bareboat, {}, "bareboat", "_BAREBOAT_COMPLETE").source()
    terminal.result({"shell": shell, "script": script}, script.rstrip("\n"))
    if sys.stdout.isatty():
        terminal.next(INSTALL[shell])
