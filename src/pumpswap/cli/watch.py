"""``pumpswap watch``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import RUN, DurationType

if TYPE_CHECKING:
    from pumpswap.app.watching import Look, Watcher
    from pumpswap.cli.watch_view import WatchView

__all__ = ["watch"]

_INTERRUPTED = 130
_PAUSES = 4  # so many times as long as a look, at least
_EVERY = DurationType(least=1, most=3_600, example="1s, 5s")
_FOR = DurationType(least=1, example="30s, 10m")


@command(
    "watch",
    help=(
        "Watch a running engine from another terminal: how it is, what it holds and is worth, what it decides.\n\n"
        "It reads what the engine stores and never disturbs it; where none runs it shows what the last one has left, "
        "and goes on when the next one begins. In a pipe everything new is one line; with --json each look and "
        "everything new is one object. Ctrl-C ends it, with exit code 130; 6 where there are no books."
    ),
    examples=[
        Example("pumpswap watch", "a live screen", needs="books"),
        Example("pumpswap watch --json --every 10s", "a line for each look, for scripts", needs="books"),
    ],
)
@option("--run", "run_id", type=RUN, metavar="N", help="Number of the run; default: the one that an engine keeps.")
@option("--every", type=_EVERY, metavar="TIME", default="1s", show_default=True, help="Between two looks.")
@option("--for", "seconds", type=_FOR, metavar="TIME", help="End after so long.")
@pass_output
def watch(out: Output, run_id: int | None, every: int, seconds: int | None) -> None:
    from pumpswap.app.books import open_store
    from pumpswap.app.watching import Watcher
    from pumpswap.cli.config import settings_anyway
    from pumpswap.clock import SystemClock
    from pumpswap.errors import NotRunning

    settings = settings_anyway(out)
    with open_store(settings) as database:
        if database is None:
            raise NotRunning("no engine runs, and there are no books yet", hint="start one: pumpswap run")
        watcher = Watcher(database, settings, SystemClock(), run_id)
        until = None if seconds is None else time.monotonic() + seconds
        look, pause = _timed(watcher, every)  # what is wrong is told before a screen covers it
        try:
            with _view(out) as view:
                view.show(look)
                while until is None or time.monotonic() + pause <= until:
                    time.sleep(pause)
                    look, pause = _timed(watcher, every)
                    view.show(look)
        except KeyboardInterrupt:  # the usual end: no failure
            click.get_current_context().exit(_INTERRUPTED)


def _timed(watcher: Watcher, every: int) -> tuple[Look, float]:
    """A look, and the pause after it: where looking takes long, it is done less often than asked for."""
    began = time.monotonic()
    look = watcher.look()
    return look, max(every, _PAUSES * (time.monotonic() - began))


def _view(out: Output) -> WatchView:
    from pumpswap.cli.watch_view import WatchJson, WatchLines, WatchScreen

    if out.json:
        return WatchJson(out)
    return WatchScreen(out.console) if out.console.is_terminal else WatchLines(out.console)
