"""Questions before something that cannot be undone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.cli.output import Output

__all__ = ["confirm", "confirm_trade", "is_agreed", "require_answer"]


def is_agreed(question: str) -> bool:
    """Ask on stderr. Raises UsageError where nobody is there to answer, and click.Abort at Ctrl-C."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)  # the question stands there without an answer
        raise UsageError("there is no terminal to ask", hint="--yes answers the question beforehand") from None


def confirm(out: Output, name: str, question: str, show: Callable[[], None] | None = None) -> None:
    """Show a plan and ask, unless ``--yes`` was given; ends the command at a no. Raises as ``require_answer``."""
    require_answer(out, name)
    if out.options.yes:
        return
    if show is not None:
        show()
    if not is_agreed(question):
        raise click.Abort


def confirm_trade(out: Output, name: str, wallet: Pubkey) -> None:
    """The question before money."""
    confirm(out, name, f"Trade now, with the money of wallet {wallet}?")


def require_answer(out: Output, name: str) -> None:
    """Raises UsageError where ``name`` would ask and a script could not answer."""
    if out.json and not out.options.yes:
        raise UsageError(f"{name} with --json needs --yes", hint="nobody could answer the question")
