"""``pumpswap host``: our commands inside the command line of a program whose environment is not ours."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH

if TYPE_CHECKING:
    from pumpswap.app.host_bridge import BridgeCommand

__all__ = ["bridge_commands", "host", "install_cli", "uninstall_cli"]

_HERE = "pumpswap.cli.host"
_ABOUT = "PumpSwap trading commands: quotes, signals, positions, on paper by default"

host = LazyGroup(
    "host",
    entries={
        "install-cli": Entry(f"{_HERE}:install_cli", "one file that gives your program our commands"),
        "uninstall-cli": Entry(f"{_HERE}:uninstall_cli", "remove that file again"),
    },
    help=(
        "Our commands in your own program. Where both live in one environment, add the group itself: "
        "host_cli.add_command(pumpswap.cli.pumpswap). Where your environment pins other versions of click, solana or "
        "solders, the bridge calls the program instead: click or argparse, Python 3.8 and newer."
    ),
    examples=[
        Example("pumpswap host install-cli .", "into this folder"),
        Example("pumpswap host uninstall-cli .", "and out of it", needs="a bridge"),
    ],
)


@command(
    "install-cli",
    help=(
        "Write pumpswap_bridge.py to PATH, a folder or a .py file. It needs click and the standard library only, lists "
        "our commands, and runs them in the program: arguments, output and exit code pass through. A file that is not "
        "a bridge of ours is never written over.\n\n"
        "After an upgrade of pumpswap, install it again: the list of commands is written into it."
    ),
    examples=[
        Example("pumpswap host install-cli .", "then: from pumpswap_bridge import pumpswap"),
        Example("pumpswap host install-cli . --executable pumpswap", "found on the PATH of whoever runs it"),
    ],
)
@click.argument("path", type=PATH)
@option("--executable", type=PATH, metavar="PROGRAM", help="Where the program is (default: this one).")
@pass_output
def install_cli(out: Output, path: Path, executable: Path | None) -> None:
    from pumpswap import __version__
    from pumpswap.app.host_bridge import bridge_text, install_bridge

    program = str(executable) if executable is not None else _this_program()
    file = install_bridge(path, bridge_text(bridge_commands(), _ABOUT, __version__, program))
    if out.json:
        out.emit("host_install_cli", {"file": str(file), "executable": program})
        return
    out.show(str(file), keep_lines=True)
    out.say(
        "\nNext, in your program:\n"
        "  click      from pumpswap_bridge import pumpswap; cli.add_command(pumpswap)\n"
        "  argparse   from pumpswap_bridge import add_pumpswap_parser; add_pumpswap_parser(subparsers)"
    )


@command(
    "uninstall-cli",
    help="Remove the bridge at PATH, a folder or a .py file. A file that is not a bridge of ours is not touched.",
    examples=[
        Example("pumpswap host uninstall-cli .", needs="a bridge"),
        Example("pumpswap host uninstall-cli . --json", needs="a bridge"),
    ],
)
@click.argument("path", type=PATH)
@pass_output
def uninstall_cli(out: Output, path: Path) -> None:
    from pumpswap.app.host_bridge import uninstall_bridge

    file = uninstall_bridge(path)
    if out.json:
        out.emit("host_uninstall_cli", {"file": str(file)})
    else:
        out.show(f"{file}: removed", keep_lines=True)


def bridge_commands() -> tuple[BridgeCommand, ...]:
    """The whole command tree, as the bridge lists it."""
    from pumpswap.cli.root import pumpswap

    return _below(pumpswap)


def _below(group: LazyGroup) -> tuple[BridgeCommand, ...]:
    from pumpswap.app.host_bridge import BridgeCommand

    ctx = click.Context(group)
    rows: list[BridgeCommand] = []
    for name, entry in group.entries.items():
        found = group.get_command(ctx, name)
        below = _below(found) if isinstance(found, LazyGroup) else ()
        rows.append(BridgeCommand(name, entry.help, below))
    return tuple(rows)


def _this_program() -> str:
    """Where this program can be called; empty when that is not known, as under ``python -m``."""
    called = Path(sys.argv[0])
    if called.name == "pumpswap" and called.is_file():
        return str(called.resolve())
    beside = Path(sys.executable).with_name("pumpswap")
    return str(beside) if beside.is_file() else shutil.which("pumpswap") or ""
