"""The global options: understood before and after every command, remembered in the click context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

__all__ = ["GlobalOptions", "given_options", "global_options", "note_manner"]

# In ctx.meta, not in ctx.obj: under a foreign group ctx.obj belongs to the foreigner.
_PARSED, _SEEN = "pumpswap.cli.options.parsed", "pumpswap.cli.options.seen"
_LONGEST_NAME = 63  # what is longer is never repeated: a seed in hex has 64 characters, a private key 87 or 88
_VERBOSE = {"-v", "-vv", "--verbose"}


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What the user said for the whole run."""

    json: bool = False  # one JSON object on stdout, no prose
    quiet: bool = False  # no progress and no remarks on stderr
    verbose: int = 0  # 1: tracebacks and details
    no_color: bool = False
    yes: bool = False  # skips questions, never limits
    config: Path | None = None
    profile: str | None = None
    data_dir: Path | None = None


def given_options(ctx: click.Context) -> GlobalOptions:
    """The global options of a run, from wherever in the command line they stood."""
    parsed = ctx.meta.get(_PARSED, {})
    return GlobalOptions(**{**ctx.meta.get(_SEEN, {}), **parsed})


def note_manner(ctx: click.Context, args: Sequence[str]) -> None:
    """Remember how to speak before anything is parsed, so that a wrong option too is answered in JSON, or in full."""
    words = set(args[: args.index("--") if "--" in args else len(args)])
    seen = {"json": "--json" in words, "no_color": "--no-color" in words, "verbose": int(bool(words & _VERBOSE))}
    ctx.meta.setdefault(_SEEN, {}).update({name: value for name, value in seen.items() if value})


def global_options(*, hidden: bool) -> list[click.Option]:
    """Fresh options for one command. They are listed in the help of the root group only."""

    def option(*names: str, **attributes: Any) -> click.Option:
        return click.Option(names, expose_value=False, is_eager=True, callback=_remember, hidden=hidden, **attributes)

    file, folder = click.Path(path_type=Path), click.Path(file_okay=False, path_type=Path)
    return [
        option("--json", is_flag=True, help="Print one JSON object on stdout, errors too."),
        option("-q", "--quiet", is_flag=True, help="No remarks on stderr, only warnings and errors."),
        option("-v", "--verbose", count=True, help="More detail; a traceback when something breaks."),
        option("--no-color", is_flag=True, help="No colours (so does the variable NO_COLOR)."),
        option("--yes", is_flag=True, help="Answer questions with yes. Never skips a limit."),
        option("--config", type=file, metavar="FILE", help="Settings file, instead of pumpswap.yaml."),
        option("--profile", metavar="NAME", help="Profile of the settings file to use."),
        option("--data-dir", type=folder, metavar="DIR", help="Where database, reports and recordings live."),
    ]


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    name = param.name or ""
    if ctx.get_parameter_source(name) in (None, ParameterSource.DEFAULT):
        return
    if isinstance(value, (str, Path)) and any(len(part) > _LONGEST_NAME for part in Path(value).parts):
        raise click.BadParameter("that name is too long; was it a private key? Nobody saw it", ctx, param)
    given = ctx.meta.setdefault(_PARSED, {})
    given[name] = given.get(name, 0) + value if name == "verbose" else value
