"""``pumpswap config``: what holds and where it comes from, whether a file is right, what may be in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, PATH

if TYPE_CHECKING:
    from pumpswap.app.config_file import EffectiveKey
    from pumpswap.settings import LoadedSettings, Settings
    from pumpswap.settings.keys import Key

__all__ = [
    "config", "loaded_for", "schema", "settings_anyway", "show", "tell_borrowed", "validate", "value_text",
]  # fmt: skip

_HERE, _CHANGE, _PLAN = "pumpswap.cli.config", "pumpswap.cli.config_change", "pumpswap.cli.config_plan"

config = LazyGroup(
    "config",
    entries={
        "show": Entry(f"{_HERE}:show", "what holds, and where each value comes from"),
        "set": Entry(f"{_CHANGE}:set_", "change one key of the file, comments kept"),
        "edit": Entry(f"{_CHANGE}:edit", "the file in your editor, checked before it is saved"),
        "validate": Entry(f"{_HERE}:validate", "everything that is wrong with a file, at once"),
        "schema": Entry(f"{_HERE}:schema", "JSON Schema of the file, for editors"),
        "import": Entry(f"{_PLAN}:import_", "the plan's keys, alone or in a host's file, as ours"),
        "host-copy": Entry(f"{_PLAN}:host_copy", "a copy of one file for both, as the host accepts it"),
    },
    help=(
        "The settings: pumpswap.yaml in the working folder, or the file of --config. Environment variables win over "
        "the file, options of a command over both."
    ),
    examples=[
        Example("pumpswap config show --changed", "what differs from the defaults"),
        Example("pumpswap config set risk.max_position_sol 0.2", "change a limit"),
        Example("pumpswap config validate", "before a start"),
    ],
)


def loaded_for(out: Output, **sections: Any) -> LoadedSettings:
    """Settings as the global options want them, with their origins; ``sections`` are what a command's options say."""
    from pumpswap.settings import read_settings

    if out.options.data_dir:
        sections["data_dir"] = out.options.data_dir
    loaded = read_settings(out.options.config, profile=out.options.profile, **sections)
    for text in loaded.ignored:
        _warn_once(out, text)
    return loaded


def settings_anyway(out: Output) -> Settings:
    """As ``loaded_for``, for what must work while the settings are wrong: what is wrong is left out, with a warning.

    Raises ConfigError where it could say where the books are.
    """
    from pumpswap.app.config_file import place_of_books
    from pumpswap.settings.lenient import read_leniently

    sections: dict[str, Any] = {"data_dir": out.options.data_dir} if out.options.data_dir else {}
    found = read_leniently(out.options.config, profile=out.options.profile, **sections)
    for text in (*found.problems, *found.ignored):
        _warn_once(out, text)
    if found.problems:
        out.warn(
            f"this command goes on without what is wrong in the settings; its books: {place_of_books(found.settings)}"
        )
    return found.settings


def tell_borrowed(out: Output, loaded: LoadedSettings) -> None:
    """Say which variables of other programs are in force: nobody may have set them for this one."""
    for name, keys in loaded.borrowed.items():
        _warn_once(out, f"the variable {name} of another program sets {', '.join(keys)}")


def _warn_once(out: Output, text: str) -> None:
    if text not in out.warnings:
        out.warn(text)


@command(
    "show",
    help=(
        "Show every setting that holds, with where it comes from: default, the file, a profile, an environment "
        "variable, an option. Of URLs only the host is shown; passwords and tokens never.\n\n"
        "KEY is a key or a section; without it, everything is shown."
    ),
    examples=[
        Example("pumpswap config show --changed", "what somebody has set"),
        Example("pumpswap config show risk", "one section"),
        Example("pumpswap config show exits.stop_loss_bps --json", "one key, for scripts"),
    ],
)
@click.argument("key", type=NAME, required=False)
@option("--changed", is_flag=True, help="Only what is no default.")
@pass_output
def show(out: Output, key: str | None, changed: bool) -> None:
    from pumpswap.app.config_file import effective_keys

    loaded = loaded_for(out)
    tell_borrowed(out, loaded)
    rows = [row for row in effective_keys(loaded) if _is_asked(row, key) and not (changed and row.is_default)]
    if not rows and key is not None:
        from pumpswap.app.config_file import key_named
        from pumpswap.settings.keys import section_of

        if section_of(key) is None:
            key_named(key)  # raises, with the nearest key
    if out.json:
        file = None if loaded.file is None else str(loaded.file)
        out.emit("config", {"file": file, "profile": loaded.profile, "settings": list(map(_row_json, rows))})
        return
    _show_rows(out, loaded, rows)


def _is_asked(row: EffectiveKey, key: str | None) -> bool:
    return key is None or row.key.name == key or row.key.path[0] == key


def _row_json(row: EffectiveKey) -> dict[str, Any]:
    from pumpswap.app.config_file import plain_value

    return {
        "key": row.key.name,
        "value": plain_value(row.value, row.key),
        "default": plain_value(row.key.default),
        "origin": row.origin,
        "help": row.key.help,
    }


def _show_rows(out: Output, loaded: LoadedSettings, rows: list[EffectiveKey]) -> None:
    from rich import box
    from rich.table import Table

    from pumpswap.cli.formats import counted

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("key", no_wrap=True, overflow="fold")
    table.add_column("value", overflow="fold", min_width=20)
    table.add_column("from", overflow="fold", min_width=10)
    for row in rows:
        table.add_row(
            row.key.name, value_text(row.value, row.key), row.origin, style=None if row.is_default else "bold"
        )
    file = loaded.file or "none: `pumpswap init` writes one"
    head = f"Settings file  {file}" + (f", profile {loaded.profile}" if loaded.profile else "")
    if rows:
        out.show(head, table)
    else:
        out.show(head, "", "Every setting has its default.")
    if loaded.notes and not out.options.verbose:
        out.say(f"{counted(len(loaded.notes), 'remark')} about this file: -v tells them.")
        return
    for note in loaded.notes:
        out.say(f"  · {note}")


def value_text(value: Any, key: Key | None = None) -> str:
    """A value as the file would have it, secrets masked."""
    from pumpswap.app.config_file import plain_value
    from pumpswap.settings.yaml_edit import rendered

    plain = plain_value(value, key)
    if isinstance(plain, list | tuple):
        return f"[{', '.join(_one_of_list(one) for one in plain)}]"
    text = plain if isinstance(plain, str) else rendered(plain)
    text = "none" if text == "null" else text
    return text


def _one_of_list(one: Any) -> str:
    """Numbers and words as people write them; of a mapping what is set."""
    if isinstance(one, dict):
        return ", ".join(f"{name}: {value}" for name, value in one.items() if value is not None)
    return str(one)


@command(
    "validate",
    help=(
        "Check a settings file, all its profiles included, and say everything that is wrong with it, with the nearest "
        "right key. Without FILE, the settings that hold now are checked, environment variables included.\n\n"
        "Exit code 0: it is right; 4: it is not."
    ),
    examples=[
        Example("pumpswap config validate", "what a start would use"),
        Example("pumpswap config validate other.yaml --json", "for scripts", needs="a settings file"),
    ],
)
@click.argument("file", type=PATH, required=False)
@pass_output
def validate(out: Output, file: Path | None) -> None:
    from pumpswap.errors import ConfigError, NotFound

    if file is not None and not file.is_file():
        raise NotFound(f"there is no file {file}", hint="check the path; without FILE, pumpswap.yaml is checked")
    problems: tuple[str, ...] = ()
    named = "the defaults"
    try:
        named, profiles = _checked(out, file)
    except ConfigError as wrong:
        problems, profiles = wrong.problems, ()
        named = str(file or out.options.config or _usual_file())
    if out.json:
        out.emit("config_check", {"file": named, "valid": not problems, "problems": list(problems)})
    elif problems:
        out.show(*(f"{named}: {problem}" for problem in problems), keep_lines=True)
        out.say("\nNext:\n  pumpswap config edit\n  pumpswap config schema")
    else:
        more = f", with the profile{'s' if len(profiles) > 1 else ''} {', '.join(profiles)}" if profiles else ""
        out.show(f"{named}: in order{more}", keep_lines=True)
    if problems:
        click.get_current_context().exit(4)


def _usual_file() -> str:
    from pumpswap.settings.loading import DEFAULT_FILE

    return DEFAULT_FILE if Path(DEFAULT_FILE).is_file() else "the settings"


def _checked(out: Output, file: Path | None) -> tuple[str, tuple[str, ...]]:
    """What was checked, and its profiles. Raises ConfigError."""
    from pumpswap.app.config_file import checked_text, profiles_of
    from pumpswap.settings.yaml_file import read_text

    chosen = file or out.options.config or Path(_usual_file())
    if chosen.is_file():
        text = read_text(chosen)
        checked_text(text, str(chosen))
        profiles = tuple(profiles_of(text, str(chosen)))
        if file is not None:
            return str(file), profiles
        loaded_for(out)
        return str(chosen), profiles
    loaded = loaded_for(out)
    return str(loaded.file or "the defaults"), ()


@command(
    "schema",
    help=(
        "Print the JSON Schema (draft 2020-12) of pumpswap.yaml: every key with its type, range, default and meaning. "
        "Editors with a YAML language server complete and check with it.\n\n"
        "--output writes it to a file, and says which line to put on top of pumpswap.yaml."
    ),
    examples=[
        Example("pumpswap config schema > pumpswap.schema.json", "for any tool"),
        Example("pumpswap config schema --output pumpswap.schema.json", "for your editor"),
    ],
)
@option("--output", "target", type=PATH, metavar="FILE", help="Write it there instead.")
@pass_output
def schema(out: Output, target: Path | None) -> None:
    import json

    from pumpswap.settings.schema import EDITOR_HINT, SCHEMA_FILE, settings_schema

    found = settings_schema()
    if target is not None:
        from pumpswap.settings.write import write_settings_file

        write_settings_file(target, json.dumps(found, indent=2) + "\n")
        line = EDITOR_HINT.replace(SCHEMA_FILE, str(target))
        if out.json:
            out.emit("config_schema", {"file": str(target), "editor_hint": line})
        else:
            out.show(str(target), keep_lines=True)
            out.say(f"Put this line on top of pumpswap.yaml:\n  {line}")
    elif out.json:
        out.emit("config_schema", {"json_schema": found})
    else:
        click.echo(json.dumps(found, indent=2))
