"""``pumpswap init``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from pumpswap.app.setup import Answers

__all__ = ["init"]

_PRESETS = ("careful", "standard", "research")
_NETWORKS = ("later", "localnet", "devnet", "mainnet")


@command(
    "init",
    help=(
        "Write a commented pumpswap.yaml to begin with, and say what comes next. On a terminal a few questions are "
        "asked; --yes asks none. Everything starts on paper; mainnet is never switched on by this command.\n\n"
        "Presets: careful (small trades in deep pools, tight exits), standard (the defaults), research (many small "
        "paper trades, to learn from)."
    ),
    examples=[
        Example("pumpswap init --yes", "no questions: the preset careful"),
        Example("pumpswap init --preset research --force --yes", "another one, over a file that is there"),
    ],
)
@option("--preset", type=click.Choice(_PRESETS), default="careful", show_default=True, help="What to begin with.")
@option("--force", is_flag=True, help="Write over a file that is there.")
@pass_output
def init(out: Output, preset: str, force: bool) -> None:
    from pumpswap.app.setup import Answers, check_data_dir, settings_text
    from pumpswap.errors import ConfigError
    from pumpswap.settings.host_file import refuse_host_file
    from pumpswap.settings.lenient import read_leniently
    from pumpswap.settings.loading import DEFAULT_FILE
    from pumpswap.settings.nearest import shown_path
    from pumpswap.settings.presets import PRESETS
    from pumpswap.settings.write import write_settings_file

    file = out.options.config or Path(DEFAULT_FILE)
    if file.exists() and not force:  # before anything is asked
        hint = "--force writes over it; `pumpswap config edit` changes it"
        raise ConfigError(f"{shown_path(file)} exists already", hint=hint)
    if file.exists():
        refuse_host_file(file)
    check_data_dir(read_leniently(None, **_place(out)).settings.data_dir)
    asks = not (out.options.yes or out.json) and sys.stdin.isatty()
    answers = _asked(out) if asks else Answers()
    write_settings_file(file, settings_text(preset, answers), replace=force)
    steps = ["pumpswap doctor", "pumpswap run --market simulated --fast", "pumpswap run"]
    if out.json:
        out.emit("init", {"file": str(file), "preset": preset, "next": steps})
        return
    out.show(f"{file}: {preset}, {PRESETS[preset]}", keep_lines=True)
    out.say("Everything starts on paper. Nothing spends money without --live, an unlocked key and limits.\n\nNext:")
    for step, about in zip(steps, ("is everything in order?", "a market without a network", "the chain"), strict=True):
        out.say(f"  {step:<41}# {about}")
    if answers.database:
        out.say(f"  {'pumpswap db attach --dry-run':<41}# what would be added to your collector's database")


def _place(out: Output) -> dict[str, Any]:
    return {} if out.options.data_dir is None else {"data_dir": out.options.data_dir}


def _asked(out: Output) -> Answers:
    from pumpswap.app.setup import Answers

    out.say("Enter keeps what is in brackets. Everything can be changed later: pumpswap config set, config edit.")
    network = click.prompt("Network", type=click.Choice(_NETWORKS), default="later", err=True)
    url = ""
    if network not in ("later", "localnet"):
        url = click.prompt("URL of an endpoint (not shown; empty: later)", default="", hide_input=True, err=True,
                           show_default=False)  # fmt: skip
    database = click.prompt("Database of your collector, if there is one (empty: none)", default="", err=True,
                            show_default=False)  # fmt: skip
    return Answers(network="" if network == "later" else network, url=url.strip(), database=database.strip())
