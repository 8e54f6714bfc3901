"""``pumpswap signal q50``: what a quantile model's frame is, and what it says at a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, PATH, UTC_TIME
from pumpswap.clock import NS_PER_SECOND, ManualClock, SystemClock

if TYPE_CHECKING:
    from pumpswap.settings import Settings

__all__ = ["at", "inspect", "q50"]

_F = TypeVar("_F", bound=Callable[..., Any])
_HERE = "pumpswap.cli.signal_q50"
_NEEDS = "a frame"

q50 = LazyGroup(
    "q50",
    entries={
        "inspect": Entry(f"{_HERE}:inspect", "what a frame is, and how many rows pass which rule"),
        "at": Entry(f"{_HERE}:at", "what the frame says at a moment, and why"),
    },
    help="The frame of a quantile model (q10, q50, q90): a pickle, Parquet or CSV. See q50 in the settings.",
    examples=[Example("pumpswap signal q50 inspect macro_features.pkl", "look before you trade on it", needs=_NEEDS)],
)


def _frame_options(callback: _F) -> _F:
    instrument = option("--instrument", type=NAME, metavar="NAME", help="Which one speaks for the market, of several.")
    side_code = option(
        "--side-code",
        type=click.Choice(["frame", "plan"]),
        help="What the numbers in 'side' mean. frame: 1 long, 0 short, -1 hold; plan: 1 long, 0 hold, -1 short.",
    )
    complete = option(
        "--complete", is_flag=True, help="Compute missing columns from q10, q50, q90 and the volatility, by the rules."
    )
    return instrument(side_code(complete(callback)))


@command(
    "inspect",
    help=(
        "Show what a frame is: rows, times and gaps, rows that were left out and why, how many are tradeable, how"
        " large |q50| and vol_risk are, the threshold that is calibrated on them, and how many rows pass the rules of"
        " the design, the plan, the proof of concept, and ours.\n\n"
        "FILE is a pandas pickle, Parquet or CSV; default: q50.path. A pickle is read without running what it asks for."
    ),
    examples=[
        Example("pumpswap signal q50 inspect macro_features.pkl", needs=_NEEDS),
        Example("pumpswap signal q50 inspect model.parquet --complete", "only q10, q50, q90 and vol_raw", needs=_NEEDS),
        Example("pumpswap signal q50 inspect --json", "the frame of the settings", needs=_NEEDS),
    ],
)
@click.argument("file", type=PATH, required=False)
@_frame_options
@pass_output
def inspect(out: Output, file: Path | None, instrument: str | None, side_code: str | None, complete: bool) -> None:
    from pumpswap.app.q50_inspection import inspect_q50
    from pumpswap.cli.signal_q50_view import inspection_json, show_inspection

    found = inspect_q50(_settings(out, file, instrument, side_code, complete), SystemClock())
    for warning in found.warnings:
        out.warn(warning)
    if out.json:
        out.emit("q50-inspection", inspection_json(found))
    else:
        show_inspection(out, found)


@command(
    "at",
    help=(
        "Show what the frame says at TIME (UTC): the row that applies, its regime, the threshold of that moment, the "
        "decision and its reasons. Only rows up to TIME play a part.\n\n"
        "FILE is a pandas pickle, Parquet or CSV; default: q50.path."
    ),
    examples=[
        Example('pumpswap signal q50 at "2024-09-12 08:30" macro_features.pkl', needs=_NEEDS),
        Example("pumpswap signal q50 at 2024-09-12 --json", "the frame of the settings", needs=_NEEDS),
    ],
)
@click.argument("time", type=UTC_TIME)
@click.argument("file", type=PATH, required=False)
@_frame_options
@pass_output
def at(
    out: Output, time: int, file: Path | None, instrument: str | None, side_code: str | None, complete: bool
) -> None:
    from pumpswap.app.q50 import Q50Source, open_q50
    from pumpswap.cli.signal_q50_view import decision_json, show_decision

    settings = _settings(out, file, instrument, side_code, complete)
    at_ns = time * NS_PER_SECOND
    loader = open_q50(settings, ManualClock(at_ns))
    loader.load()
    decision = Q50Source(loader, settings).decide(at_ns)
    if out.json:
        out.emit("q50-decision", decision_json(decision))
    else:
        show_decision(out, decision)


def _settings(
    out: Output, file: Path | None, instrument: str | None, side_code: str | None, complete: bool
) -> Settings:
    from pumpswap.cli.run_result import settings_for

    given = {"path": file, "instrument": instrument, "side_code": side_code, "complete_by_rules": complete or None}
    return settings_for(out, q50={key: value for key, value in given.items() if value is not None})
