"""Our click commands and groups: loaded when they are run, with examples in their help and failures in one form."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

import click
from click.shell_completion import CompletionItem

from pumpswap.cli.failures import NoSuchCommand, reported
from pumpswap.cli.options import given_options, global_options, note_manner

__all__ = ["Command", "Entry", "Example", "LazyGroup", "Option", "command", "option"]

_F = TypeVar("_F", bound=Callable[..., Any])


class Entry(NamedTuple):
    """A command that is not loaded yet: ``module:attribute`` and its one line of help."""

    target: str
    help: str


class Example(NamedTuple):
    """One line for a shell. The tests run it, unless ``needs`` names something that a test does not have."""

    line: str
    about: str = ""
    needs: str = ""


class _Formatter(click.HelpFormatter):
    def write_heading(self, heading: str) -> None:
        self.write(" " * self.current_indent + click.style(f"{heading}:", bold=True) + "\n")

    def write_dl(self, rows: Any, col_max: int = 34, col_spacing: int = 3) -> None:
        super().write_dl([(click.style(term, fg="cyan"), text) for term, text in rows], col_max, col_spacing)


class _Context(click.Context):
    formatter_class = _Formatter


class Option(click.Option):
    """An option that knows the heading under which it is listed."""

    def __init__(self, *args: Any, section: str = "", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.section = section


class _Ours(click.Command):
    """What our commands and groups share. ``examples`` are the last section of the help."""

    context_class = _Context

    def __init__(self, *args: Any, examples: Sequence[Example] = (), is_root: bool = False, **attributes: Any) -> None:
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        attributes["context_settings"] = {**settings, **(attributes.get("context_settings") or {})}
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.is_root = is_root
        own = {name for param in self.params for name in param.opts}
        self.params += [each for each in global_options(hidden=not is_root) if own.isdisjoint(each.opts)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        note_manner(ctx, args)
        with reported(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with reported(ctx):
            result = super().invoke(ctx)
            # Now, while a closed pipe can still be told apart from a failure; at exit Python would complain.
            sys.stdout.flush()
            return result

    def get_help(self, ctx: click.Context) -> str:
        from pumpswap.cli.output import colours_allowed

        if not colours_allowed(given_options(ctx)):
            ctx.color = False
        return super().get_help(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            # Arguments stand in the usage line and are explained in the text; click 8.5 would list them here too.
            record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if record:
                sections.setdefault(getattr(param, "section", ""), []).append(record)
        unnamed = sections.pop("", [])
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
        with formatter.section("Global options" if self.is_root else "Options"):
            formatter.write_dl(unnamed)
            if not self.is_root:
                formatter.write_text("The global options (--json, -q, -v, …) work here too: see pumpswap --help.")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            # Never wrapped: they are meant to be copied.
            for example in self.examples:
                if example.about:
                    formatter.write("  " + click.style(f"# {example.about}", dim=True) + "\n")
                formatter.write(f"  {example.line}\n")


class Command(_Ours):
    """A single command."""


class LazyGroup(_Ours, click.Group):
    """A group whose ``entries`` are imported when they are run; its help and its completion import none of them.

    Ordinary commands can be added as to any click group. With ``invoke_without_command`` its own callback acts when no
    command is named.
    """

    command_class = Command

    def __init__(self, *args: Any, entries: Mapping[str, Entry] | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.entries = dict(entries or {})
        self.no_args_is_help = False  # see parse_args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing and not self.invoke_without_command:
            # A newcomer types the bare name. Help is talk, and a script that forgot the command must not go on.
            click.echo(self.get_help(ctx), err=True, color=ctx.color)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        # In the order of the table, which is the order in which a newcomer needs them.
        return [*self.entries, *(name for name in super().list_commands(ctx) if name not in self.entries)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = entry.target.partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, click.Command):
            raise TypeError(f"{entry.target} is no click command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0].startswith("-") or args[0] in self.list_commands(ctx) or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise NoSuchCommand(args[0], self.list_commands(ctx), ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(self._described(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(name, help=text) for name, text in self._described(ctx) if name.startswith(incomplete)]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def _described(self, ctx: click.Context) -> list[tuple[str, str]]:
        rows = [(name, entry.help) for name, entry in self.entries.items()]
        for name in self.list_commands(ctx)[len(rows) :]:
            added = self.get_command(ctx, name)
            if added is not None and not added.hidden:
                rows.append((name, added.get_short_help_str(limit=80)))
        return rows


def option(*names: str, section: str = "", **attributes: Any) -> Callable[[_F], _F]:
    """``click.option``; with a ``section``, the option is listed under that heading."""
    return click.option(*names, cls=Option, section=section, **attributes)


def command(
    name: str, *, help: str, examples: Sequence[Example], **attributes: Any
) -> Callable[[Callable[..., Any]], Command]:
    """``click.command`` for our commands: a command without help or examples cannot be written."""
    return click.command(name, cls=Command, help=help, examples=examples, **attributes)
