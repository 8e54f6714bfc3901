"""``pumpswap run``."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_sections, wallet_options
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import SOURCE, DurationType

if TYPE_CHECKING:
    from pumpswap.app.run import RunResult
    from pumpswap.app.run_order import BegunRun, RunOrder
    from pumpswap.app.run_parts import RunOptions
    from pumpswap.cli.run_view import JsonLines
    from pumpswap.model import Heartbeat
    from pumpswap.settings import Settings
    from pumpswap.settings.reload import SettingsReload

__all__ = ["run"]

_NO_SIGNALS = "none"
_SIGNALS = ("analyser", "q50", "follow", _NO_SIGNALS)
_STRATEGIES = ("follow-signals", "plan-loop", "momentum", "q50")
_NEEDS = "an endpoint and rows of a collector"
_LIVE = "Live trading"
_LENGTH = DurationType(least=1, example="90s, 30m, 12h")


@command(
    "run",
    help=(
        "Trade: listen, score, decide, order, sell again; on paper unless you say otherwise.\n\n"
        "Without --market it listens to the chain of the settings and scores the rows of your collector (see"
        " 'collect'). --market simulated needs nothing at all; a recording or a lake is played as it was.\n\n"
        "Paper books go on: what one run leaves the next one takes up. Ctrl-C or a TERM signal ends it in order: no"
        " entries, what is on its way may land; a second one ends it at once. From another terminal: 'pause', 'halt',"
        " 'panic', 'why'.\n\n"
        "In a pipe every event is one line on stdout, with --json one object; the log is of its own (see logs in the "
        "settings): complaints on stderr, all of it with -v. Exit codes: 0 ended in order, 130 by "
        "Ctrl-C, 1 something broke, 2 a wrong call, 3 no such recording or run, 4 a setting is wrong or missing, "
        "11 the network, 12 upgrade pumpswap, 13 the wallet."
    ),
    examples=[
        Example("pumpswap run --market simulated --fast", "all of it at once, no chain, no key"),
        Example("pumpswap run --market simulated:9", "another market, in real time", needs="half an hour"),
        Example("pumpswap run", "on paper, on the chain of the settings", needs=_NEEDS),
        Example("pumpswap run --mode analysis --json", "score and decide, order nothing", needs=_NEEDS),
        Example("pumpswap run --mode approve --live", "with money, each buy after your word", needs="a wallet"),
    ],
)
@option("--mode", type=click.Choice(["analysis", "paper", "approve", "auto"]), help="Default: run.mode, else paper.")
@option("--market", type=SOURCE, metavar="MARKET", help="simulated[:SEED], or a recording; default: the chain.")
@option("--fast", is_flag=True, help="Play a simulated or recorded market without waiting.")
@option("--duration", type=_LENGTH, metavar="TIME", help="How long: 90s, 30m, 12h. Of a simulated market its length.")
@option("--new", "is_new", is_flag=True, help="Begin new books; those that are open are ended.")
@option("--signals", "signals", type=click.Choice(_SIGNALS), multiple=True, help="What to heed; repeatable.")
@option("--strategy", type=click.Choice(_STRATEGIES), help="What to do about it; default: run.strategy.")
@option("--collector", type=SOURCE, metavar="PATH|URL", help="Database with the rows; default: that of the books.")
@option("--live", is_flag=True, section=_LIVE, help="Really trade. Never a setting. Needs --mode approve or auto.")
@partial(wallet_options, section=_LIVE)
@chain_options
@pass_output
def run(out: Output, /, **given: Any) -> None:
    from pumpswap.app.logs.setup import begun_logging
    from pumpswap.app.run_order import RunOrder

    reload = _reload(out, given)
    settings = reload.settings
    seconds = given["duration"]
    order = RunOrder(given["market"] or "", given["fast"], None if seconds is None else int(seconds), given["is_new"])
    with begun_logging(settings, verbose=out.options.verbose, quiet=out.options.quiet):
        if given["live"] or settings.run.mode in ("approve", "auto"):
            _run_live(out, reload, order, given)
        else:
            _run_paper(out, settings, order, reload)


def _reload(out: Output, given: dict[str, Any]) -> SettingsReload:
    """The settings of this call, and how they are read again when the file changes."""
    from pumpswap.cli.config import loaded_for, tell_borrowed
    from pumpswap.clock import SystemClock
    from pumpswap.settings.reload import SettingsReload

    wished = {"mode": given["mode"], "strategy": given["strategy"], "collector": given["collector"]}
    section = {name: value for name, value in wished.items() if value is not None}
    if given["signals"]:
        section["signals"] = _signals(given["signals"])
    sections = {"run": section} if section else {}
    sections |= chain_sections(given["urls"], given["ws_url"], given["network"])
    loaded = loaded_for(out, **sections)
    tell_borrowed(out, loaded)
    return SettingsReload(loaded, lambda: loaded_for(out, **sections), SystemClock())


def _signals(given: tuple[str, ...]) -> tuple[str, ...]:
    from pumpswap.errors import UsageError

    if _NO_SIGNALS not in given:
        return given
    if len(given) > 1:
        raise UsageError("--signals none, and others beside it", hint="either none, or those that are heeded")
    return ()


def _run_paper(out: Output, settings: Settings, order: RunOrder, reload: SettingsReload) -> None:
    from pumpswap.app.run import run_paper
    from pumpswap.cli.run_end import show_end

    with Stage(out, has_own_time=order.has_own_time) as stage:
        result: RunResult = asyncio.run(run_paper(settings, order, stage.options(reload=reload), stage.begin))
    if stage.lines is not None:
        stage.lines.emit("end", result.to_json())
    else:
        show_end(out, result)
    stage.leave()


def _run_live(out: Output, reload: SettingsReload, order: RunOrder, given: dict[str, Any]) -> None:
    from pumpswap.app.live_readiness import require_ready
    from pumpswap.app.run_live import run_live
    from pumpswap.app.run_needs import require_signals
    from pumpswap.cli.run_end import show_end
    from pumpswap.cli.trading import WalletChoice, keystore_path, unlock_wallet
    from pumpswap.errors import UsageError

    if order.market or order.is_fast or order.is_new:
        raise UsageError(
            "the books of a wallet go on, and a played market cannot be traded live",
            hint="leave --market, --fast and --new out",
        )
    settings = reload.settings
    choice = WalletChoice(given["wallet"], given["password_fd"])
    require_ready(settings, keystore_path(settings, choice), is_live=given["live"])
    require_signals(settings)  # before the password is asked for
    signer = unlock_wallet(out, settings, choice)
    with Stage(out) as stage:
        result = asyncio.run(run_live(settings, signer, stage.options(order.seconds, reload), stage.begin))
    if stage.lines is not None:
        stage.lines.emit("end", result.to_json())
    else:
        show_end(out, result)
    stage.leave()


class Stage:
    """Who watches a run, and what ends it. Use as a context around the run."""

    def __init__(self, out: Output, *, has_own_time: bool = False) -> None:
        """``has_own_time``: the market's time is not the machine's."""
        from pumpswap.cli.run_quiet import QuietSpell
        from pumpswap.cli.run_view import JsonLines, RunLines, RunScreen

        self._out = out
        self.lines: JsonLines | None = None
        view: RunScreen | RunLines
        self._screen: Any = nullcontext()
        self._on_beat: Callable[[Heartbeat], None] = _silent
        self._observers: Sequence[Any] = ()
        self._was_interrupted = False
        quiet = QuietSpell()
        if out.json:
            self.lines = JsonLines()
            self._observers, self._on_beat = (self.lines,), self.lines.on_beat
            return
        if out.talk.is_terminal and out.console.is_terminal and not out.options.quiet:
            self._screen = view = RunScreen(out.talk, quiet)
        else:  # what happens is data: it stays with --quiet, and can be piped
            view = RunLines(out.console, quiet)
        self._observers = (view, quiet)
        if not has_own_time:
            self._on_beat = view.on_beat

    def __enter__(self) -> Stage:
        self._screen.__enter__()
        return self

    def __exit__(self, *failed: object) -> None:
        self._screen.__exit__(*failed)

    def options(self, seconds: float | None = None, reload: SettingsReload | None = None) -> RunOptions:
        """For whoever runs it. ``reload`` looks at the settings file."""
        from pumpswap.app.run_parts import RunOptions

        return RunOptions(
            seconds=seconds,
            observers=self._observers,
            on_beat=self._on_beat,
            stops=self._stops,
            process=os.getpid(),
            reload=reload,
        )

    def begin(self, begun: BegunRun) -> None:
        """Say on what it runs."""
        from pumpswap.cli.run_end import show_begin

        if self.lines is not None:
            self.lines.emit("begin", {**begun.to_json(), "warnings": self._out.warnings})
        else:
            show_begin(self._out, begun)

    def leave(self) -> None:
        """Exit with the code of an interruption, when there was one."""
        if self._was_interrupted:
            click.get_current_context().exit(130)

    def _stops(self, stop: Callable[[], None]) -> None:
        from pumpswap.cli.run_view import JsonLines, RunLines

        def interrupt() -> None:
            self._was_interrupted = True
            stop()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_signal_handler(signal.SIGINT, interrupt)
        for view in self._observers:
            if isinstance(view, (JsonLines, RunLines)):
                view.closed = stop


def _silent(_: object) -> None:
    """Heartbeats are stored; people look at them with `pumpswap status`."""
