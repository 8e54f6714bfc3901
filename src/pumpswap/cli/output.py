"""What a command prints: data on stdout (a table for people or one JSON object), talk on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import cached_property, update_wrapper
from typing import IO, TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from pumpswap.cli.formats import printable
from pumpswap.cli.options import GlobalOptions, given_options

if TYPE_CHECKING:
    from fractions import Fraction

    from rich.console import Console, RenderableType

__all__ = ["Output", "colours_allowed", "fraction_json", "pass_output", "stderr_console"]

# Width of output that goes to a file or a pipe: wide enough that no key, signature or amount is folded.
_PIPE_WIDTH = 200

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Output:
    """The two streams of one command, as the global options want them.

    ``warn`` is for what must not be overlooked: stderr for people, the list ``warnings`` of the object with ``--json``.
    """

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        self.warnings: list[str] = []

    @property
    def json(self) -> bool:
        """Whether stdout is for one JSON object only."""
        return self.options.json

    @cached_property
    def console(self) -> Console:
        """stdout, for what people read as data; not to be used with ``--json``."""
        return _console(self.options, sys.stdout)

    @cached_property
    def talk(self) -> Console:
        """stderr."""
        return stderr_console(self.options)

    def emit(self, schema: str, data: Mapping[str, Any], *, version: int = 1) -> None:
        """Print the one object of ``--json``. Amounts in ``data`` are strings of integers, units are in the keys."""
        document = {"schema": f"pumpswap.{schema}", "version": version, **data, "warnings": self.warnings}
        click.echo(json.dumps(document, indent=2))

    def show(self, *parts: RenderableType, keep_lines: bool = False) -> None:
        """Print tables and text on stdout; text is taken literally. A table that is too wide is told row by row.

        ``keep_lines``: lines that are too long for the terminal stay whole, so that keys in them can be copied.
        """
        from rich.table import Table
        from rich.text import Text

        from pumpswap.cli.stacked import fitting

        console = self.console
        if keep_lines:
            console = _console(self.options, sys.stdout, _PIPE_WIDTH)
        with console.capture() as captured:
            for part in parts:
                shown = fitting(part, console) if isinstance(part, Table) else part
                console.print(Text(shown) if isinstance(shown, str) else shown)
        # rich fills every line with spaces, which diff and grep do not like.
        lines = captured.get().splitlines()
        click.echo("\n".join(line.rstrip() for line in lines), color=console.is_terminal or None)

    def say(self, text: str) -> None:
        """A remark on stderr, left out with ``--quiet`` and ``--json``."""
        if not (self.options.quiet or self.options.json):
            self.talk.out("\n".join(map(printable, text.split("\n"))), highlight=False)

    def warn(self, text: str) -> None:
        """Something that must not be overlooked."""
        self.warnings.append(text)
        if not self.options.json:
            self.talk.print("Warning: ", style="yellow", end="")
            self.talk.out(printable(text), highlight=False)


def pass_output(callback: Callable[Concatenate[Output, _P], _R]) -> Callable[_P, _R]:
    """Give a command's callback its Output as first argument."""

    def with_output(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        return callback(Output(given_options(click.get_current_context())), *args, **kwargs)

    return update_wrapper(with_output, callback)


def fraction_json(value: Fraction) -> dict[str, str]:
    """A fraction in JSON, exactly."""
    return {"numerator": str(value.numerator), "denominator": str(value.denominator)}


def stderr_console(options: GlobalOptions, file: IO[Any] | None = None) -> Console:
    """The stream for talk."""
    return _console(options, file or sys.stderr)


def colours_allowed(options: GlobalOptions) -> bool:
    """Whether neither ``--no-color`` nor the variable NO_COLOR forbids them (rich reads the environment)."""
    from rich.console import Console

    return not (options.no_color or Console().no_color)


def _console(options: GlobalOptions, file: IO[Any], width: int | None = None) -> Console:
    from rich.console import Console

    if width is None:
        width = None if file.isatty() else shutil.get_terminal_size(fallback=(_PIPE_WIDTH, 25)).columns
    # Anybody may call a coin "[/b]" or ":fire:": text is never markup.
    plain: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
    if colours_allowed(options):
        return Console(file=file, width=width, **plain)
    # rich's own no_color keeps bold and dim; a log file wants no escape sequence at all.
    return Console(file=file, width=width, color_system=None, **plain)
