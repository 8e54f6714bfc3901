"""Questions before something that cannot be undone."""

from __future__ import annotations

import sys

import click

from pumpswap.errors import UsageError

__all__ = ["agree", "is_agreed"]


def is_agreed(question: str) -> bool:
    """Ask on stderr. Raises UsageError where nobody is there to answer, and click.Abort at Ctrl-C."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)  # the question stands there without an answer
        raise UsageError("there is no terminal to ask", hint="--yes answers the question beforehand") from None


def agree(question: str) -> None:
    """Ask, and end the command at a no."""
    if not is_agreed(question):
        raise click.Abort
