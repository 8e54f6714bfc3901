"""``pumpswap config set`` and ``pumpswap config edit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pumpswap.cli.lazy import Example, command
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME

__all__ = ["edit", "set_"]


def _file_of(out: Output) -> Path:
    from pumpswap.settings.loading import DEFAULT_FILE

    return out.options.config or Path(DEFAULT_FILE)


def _no_option(_context: click.Context, _parameter: click.Parameter, key: str) -> str:
    """Since a value may begin with a dash, an unknown option arrives here as a key."""
    if key.startswith("-"):
        raise click.NoSuchOption(key)
    return key


@command(
    "set",
    help=(
        "Change one key of the settings file, of --config or pumpswap.yaml; comments, order and layout of everything "
        "else stay. A file that is not there is made. Nothing is written when the result would not be valid.\n\n"
        "Lists are written a,b or [a, b]; null takes a key back to none. A value that is a secret (an endpoint's URL "
        "with its token) is read from standard input when it is -."
    ),
    examples=[
        Example("pumpswap config set risk.max_position_sol 0.2", "a limit"),
        Example("pumpswap config set run.signals analyser,q50", "a list"),
        Example("pumpswap config set chain.endpoints - < endpoints.txt", "a secret", needs="a file"),
    ],
    context_settings={"ignore_unknown_options": True},  # -1 is a value, if a wrong one
)
@click.argument("key", type=NAME, callback=_no_option)
@click.argument("value", type=click.UNPROCESSED)
@pass_output
def set_(out: Output, key: str, value: str) -> None:
    from pumpswap.app.config_file import key_named, plain_value, set_key
    from pumpswap.cli.config import value_text
    from pumpswap.cli.failures import BadValue
    from pumpswap.errors import UsageError
    from pumpswap.settings.environment import value_of_text

    wanted = key_named(key)
    if out.options.profile is not None:
        raise UsageError("this changes the file's own sections", hint="change a profile with `pumpswap config edit`")
    text = sys.stdin.read().strip() if value == "-" else value
    try:
        meant: Any = value_of_text(wanted, text)
    except ValueError as wrong:
        raise BadValue(f"{key} {wrong}", hint="for example [analyser, q50]", param_hint="VALUE") from None
    change = set_key(_file_of(out), key, meant)
    wins = _other_origin(out, key, change.file)
    before, after = plain_value(change.before, wanted), plain_value(change.after, wanted)
    if wins:
        out.warn(f"{wins} sets {key} too, and wins over the file")
    if out.json:
        out.emit("config_set", {"file": str(change.file), "key": key, "before": before, "after": after})
    elif change.before == change.after:
        out.show(f"{change.file}: {key} is {value_text(change.after, wanted)}, as before", keep_lines=True)
    else:
        before_after = f"{value_text(change.before, wanted)} → {value_text(change.after, wanted)}"
        out.show(f"{change.file}: {key} {before_after}", keep_lines=True)


def _other_origin(out: Output, key: str, file: Path) -> str:
    """Where the value that holds comes from, when that is not the file."""
    from pumpswap.cli.config import loaded_for
    from pumpswap.errors import ConfigError

    try:
        origin = loaded_for(out).origins.get(key, "")
    except ConfigError as wrong:  # the environment is wrong, and says so when something is started
        return wrong.what
    return "" if origin in ("", str(file)) else origin


@command(
    "edit",
    help=(
        "Open the settings file in your editor (VISUAL, or EDITOR). What you save is checked: when something is wrong "
        "it is shown, and you may go on editing; a wrong file never takes the place of a right one.\n\n"
        "A file that is not there begins as the preset standard."
    ),
    examples=[
        Example("pumpswap config edit", "pumpswap.yaml", needs="an editor"),
        Example("EDITOR=nano pumpswap config edit --config other.yaml", needs="an editor"),
    ],
)
@pass_output
def edit(out: Output) -> None:
    from pumpswap.app.config_file import checked_text
    from pumpswap.errors import ConfigError
    from pumpswap.settings.host_file import refuse_host_file
    from pumpswap.settings.presets import preset_text
    from pumpswap.settings.write import write_settings_file
    from pumpswap.settings.yaml_file import read_text

    file = _file_of(out)
    if file.exists():
        refuse_host_file(file)
    before = read_text(file) if file.exists() else ""
    text = before or preset_text("standard")
    while True:
        edited = click.edit(text, extension=".yaml", require_save=False)
        text = text if edited is None else edited
        try:
            checked_text(text, str(file))
            break
        except ConfigError as wrong:
            out.talk.print()
            for problem in wrong.problems:
                out.warn(problem)
            if out.options.yes or not _asks() or not click.confirm("Go on editing?", default=True, err=True):
                raise ConfigError(
                    f"{file} stays as it was: {wrong.what}", hint="`pumpswap config edit` again"
                ) from None
    changed = text != before
    if changed:
        write_settings_file(file, text)
    if out.json:
        out.emit("config_edit", {"file": str(file), "changed": changed})
    else:
        out.show(f"{file}: {'saved' if changed else 'not changed'}", keep_lines=True)


def _asks() -> bool:
    return sys.stdin.isatty()
