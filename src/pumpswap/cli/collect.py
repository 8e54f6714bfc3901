"""``pumpswap collect``: new pools, their later figures, candles and trades, into a database."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import DURATION, PUBKEY, SOURCE

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.app.collect import Collection, CollectOrder, CollectReport
    from pumpswap.cli.collect_view import LiveCollecting, PlainCollecting
    from pumpswap.settings import Settings

__all__ = ["collect"]

_SERVICE = "the market-data service"


@command(
    "collect",
    help=(
        "Collect new pools from GeckoTerminal, with their score, and look at them again later: snapshots, and of those "
        "that score well or are watched candles and trades.\n\n"
        "The rows are those of the host's tables. A host's database, attached or not, gets them in its own tables, "
        "which are never changed; anywhere else such tables are made. Everything is stored once: it may be ended at "
        "any moment, in any way, and goes on from there.\n\n"
        "Ctrl-C ends it after what is under way (exit code 130). Exit code 11: the service could not be reached at all."
    ),
    examples=[
        Example("pumpswap collect", "until Ctrl-C, into the database of the settings", needs=_SERVICE),
        Example("pumpswap collect --once --json", "one round, for cron", needs=_SERVICE),
        Example("pumpswap collect --duration 12h --dex pumpswap --dex heaven", needs=_SERVICE),
        Example("pumpswap collect --database postgresql://user@host/gecko_data", "a host's", needs=_SERVICE),
    ],
)
@option("--once", is_flag=True, help="One round over everything that is due, then end.")
@option("--cycles", type=click.IntRange(1), metavar="N", help="End after N rounds.")
@option("--duration", type=DURATION, metavar="TIME", help="End after 90s, 30m, 12h, 7d.")
@option("--database", type=SOURCE, metavar="PATH|URL", help="Another database than that of the settings.")
@option("--dex", "dexes", multiple=True, metavar="NAME", help="Exchange to keep; repeatable. 'all' keeps every one.")
@option("--watch", "pools", type=PUBKEY, multiple=True, metavar="POOL", help="Follow this pool, at any score.")
@pass_output
def collect(out: Output, /, once: bool, cycles: int | None, **given: Any) -> None:
    from pumpswap.app.collect import CollectOrder
    from pumpswap.cli.collect_view import LiveCollecting, PlainCollecting, report_json, show_report
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import UsageError

    if once and cycles is not None:
        raise UsageError("--once is one round, --cycles says how many", hint="name one of the two")
    settings = _with_dexes(settings_for(out), given["dexes"])
    target = given["database"] if given["database"] is not None else settings.database_target
    watch: tuple[Pubkey, ...] = given["pools"]
    order = CollectOrder(target, 1 if once else cycles, given["duration"], tuple(map(str, watch)))
    is_live = out.talk.is_terminal and not (out.json or out.options.quiet)
    with LiveCollecting(out.talk) if is_live else PlainCollecting(out) as view:
        report = wait_for(_collect(settings, order, view))
    if out.json:
        out.emit("collect", report_json(report))
    else:
        show_report(out, report)
    _leave(report)


def _with_dexes(settings: Settings, dexes: tuple[str, ...]) -> Settings:
    if not dexes:
        return settings
    kept = () if "all" in dexes else dexes
    return settings.model_copy(update={"collect": settings.collect.model_copy(update={"dexes": kept})})


async def _collect(settings: Settings, order: CollectOrder, view: LiveCollecting | PlainCollecting) -> CollectReport:
    """Collect; the first signal ends it after a unit, a second one at once."""
    from pumpswap.app.collect import collect as run

    try:
        return await run(settings, order, _Ending(view))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


class _Ending:
    """Passes everything on to a view, and ends the collection at a signal."""

    def __init__(self, view: LiveCollecting | PlainCollecting) -> None:
        self._view = view
        self.phase, self.note = view.phase, view.note

    def opened(self, collection: Collection) -> None:
        self._view.opened(collection)
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        asked: list[int] = []

        def end(number: int) -> None:
            asked.append(number)
            if len(asked) == 1:
                self._view.note("ending after what is under way ...")
                collection.stop()
            elif task is not None:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end, number)


def _leave(report: CollectReport) -> None:
    """The exit code, where it is not 0."""
    code = 0
    if report.was_stopped:
        code = 130
    elif report.requests.failed and not report.requests.answers:
        code = 11
    if code:
        click.get_current_context().exit(code)
