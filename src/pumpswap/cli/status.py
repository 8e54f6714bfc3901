"""``pumpswap status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import RUN

if TYPE_CHECKING:
    from pumpswap.settings import Settings

__all__ = ["show_status_of", "status"]

_NOT_RUNNING = 6


@command(
    "status",
    help=(
        "Is an engine at work, may it buy, and why is nothing bought?\n\n"
        "Its process, mode and last heartbeat; what a person has set, and who; faults; every feed with its age; what "
        "any buy would meet now; the refusals of the last hour by rule, and what came nearest; what is held and worth."
        "\n\nExit code 6 when no engine runs; what is stored is shown all the same. 'pumpswap why' without a name is "
        "the same."
    ),
    examples=[
        Example("pumpswap status", "the engine that runs, or what it has left", needs="books"),
        Example("pumpswap status --json", "for scripts and monitors", needs="books"),
    ],
)
@option("--run", "run_id", type=RUN, metavar="N", help="Number of the run; default: the one that runs, or ran last.")
@pass_output
def status(out: Output, run_id: int | None) -> None:
    from pumpswap.cli.run_result import settings_for

    show_status_of(out, settings_for(out), run_id)


def show_status_of(out: Output, settings: Settings, run_id: int | None) -> None:
    """Show it; exits with 6 when no engine runs."""
    from pumpswap.app.status import status as found_status
    from pumpswap.cli.status_view import show_status, status_json

    found = found_status(settings, run_id)
    if out.json:
        out.emit("status", status_json(found))
    else:
        show_status(out, found)
    if not found.is_running:
        click.get_current_context().exit(_NOT_RUNNING)
