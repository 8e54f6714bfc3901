"""The bridge into another program's command line: one small file that calls ours. Written, recognised, removed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from pprint import pformat

from pumpswap.errors import NotFound, UsageError

__all__ = ["BridgeCommand", "bridge_text", "install_bridge", "uninstall_bridge"]

BRIDGE_FILE = "pumpswap_bridge.py"
_MARK = "# pumpswap-bridge:"


@dataclass(frozen=True, slots=True)
class BridgeCommand:
    """A command or a group of ours, as the bridge lists it."""

    name: str
    help: str
    below: tuple[BridgeCommand, ...] = ()

    def row(self) -> tuple[object, ...]:
        """As it stands in the file."""
        return (self.name, self.help, tuple(each.row() for each in self.below))


def bridge_text(commands: Sequence[BridgeCommand], about: str, version: str, executable: str) -> str:
    """The file. ``executable`` is where the program is now; empty: the PATH is searched."""
    template = files("pumpswap.app").joinpath("pumpswap_bridge.py.template").read_text(encoding="utf-8")
    rows = pformat(tuple(each.row() for each in commands), width=118)
    values = {"VERSION": repr(version), "EXECUTABLE": repr(executable), "ABOUT": repr(about), "COMMANDS": rows}
    # In one pass: what is filled in may have such a name in it.
    return re.sub(f"@({'|'.join(values)})@", lambda found: values[found[1]], template)


def install_bridge(target: Path, text: str) -> Path:
    """Write the bridge to a file, or into a folder; an older bridge is replaced, nothing else ever is.

    Raises NotFound for a folder that is not there, UsageError for a file that is not ours.
    """
    file = _file_of(target)
    if not file.parent.is_dir():
        raise NotFound(f"there is no folder {file.parent}", hint="name the folder of the program that has the commands")
    if file.exists() and not _is_ours(file):
        raise UsageError(f"{file} is not a bridge of ours", hint="choose another name; nothing was written")
    aside = file.with_name(f".{file.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)
    return file


def uninstall_bridge(target: Path) -> Path:
    """Remove the bridge. Raises NotFound, and UsageError for a file that is not ours."""
    file = _file_of(target)
    if not file.is_file():
        raise NotFound(f"there is no bridge at {file}", hint="name the folder or the file of `host install-cli`")
    if not _is_ours(file):
        raise UsageError(f"{file} is not a bridge of ours", hint="nothing was removed")
    file.unlink()
    return file


def _file_of(target: Path) -> Path:
    return target / BRIDGE_FILE if target.is_dir() or target.suffix != ".py" else target


def _is_ours(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.readline().startswith(_MARK.encode())
