"""``pumpswap completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from pumpswap.cli.lazy import Example, command
from pumpswap.cli.output import Output, pass_output

__all__ = ["completion"]


@command(
    "completion",
    help=(
        "Print the script that makes your shell complete commands and options.\n\n"
        "bash and zsh: put the line of the example into ~/.bashrc or ~/.zshrc. "
        "fish: save the output as ~/.config/fish/completions/pumpswap.fish."
    ),
    examples=[
        Example('eval "$(pumpswap completion bash)"', "in ~/.bashrc", needs="a shell"),
        Example("pumpswap completion fish", "shows the script"),
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_output
def completion(out: Output, shell: str) -> None:
    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(f"click has no completion for {shell}")
    root = click.get_current_context().command
    script = kind(root, {}, "pumpswap", "_PUMPSWAP_COMPLETE")
    # Not script.source(): for bash it starts a bash to look at its version, and talks about it.
    text = script.source_template % script.source_vars()
    if out.json:
        out.emit("completion", {"shell": shell, "script": text})
    else:
        click.echo(text.strip())
