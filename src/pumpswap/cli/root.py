"""The group ``pumpswap``: every command in one table, none of them loaded before it is run."""

from __future__ import annotations

import sys

import click

from pumpswap import __version__
from pumpswap.cli.lazy import Entry, Example, LazyGroup

__all__ = ["COMMANDS", "main", "pumpswap"]

COMMANDS = {
    "demo": Entry("pumpswap.cli.demo:demo", "watch a simulated market being traded on paper"),
    "paper": Entry("pumpswap.cli.paper:paper", "trade recorded markets on paper"),
    "run": Entry("pumpswap.cli.run:run", "trade: on paper, or with --live"),
    "status": Entry("pumpswap.cli.status:status", "is an engine at work, and why is nothing bought?"),
    "watch": Entry("pumpswap.cli.watch:watch", "a running engine, live, from another terminal"),
    "dashboard": Entry("pumpswap.cli.dashboard:dashboard", "everything in your browser, live, and a REST API"),
    "live": Entry("pumpswap.cli.live:live", "before a run with money: check, test trade"),
    "quote": Entry("pumpswap.cli.quote:quote", "exact result of a trade: price, fees, impact, limit"),
    "buy": Entry("pumpswap.cli.buy:buy", "buy a coin: simulated, or with --live"),
    "sell": Entry("pumpswap.cli.buy:sell", "sell a coin: simulated, or with --live"),
    "pause": Entry("pumpswap.cli.control:pause", "stop entries of the running engine"),
    "resume": Entry("pumpswap.cli.control:resume", "let entries go on, and lift every lock"),
    "exits-only": Entry("pumpswap.cli.control:exits_only", "sell by the rules, buy nothing"),
    "halt": Entry("pumpswap.cli.control:halt", "order nothing at all"),
    "stop": Entry("pumpswap.cli.control:stop", "end the running engine in order"),
    "panic": Entry("pumpswap.cli.control:panic", "sell everything now, buy nothing"),
    "approve": Entry("pumpswap.cli.control:approve", "buys that wait for you: list, approve"),
    "decline": Entry("pumpswap.cli.control:decline", "do not buy what waits for you"),
    "why": Entry("pumpswap.cli.why:why", "why a trade was made, or not made, with every number"),
    "positions": Entry("pumpswap.cli.positions:positions", "what is held, what it cost and would bring"),
    "execute-signal": Entry("pumpswap.cli.execute_signal:execute_signal", "one signal, executed once, on paper"),
    "list-positions": Entry("pumpswap.cli.list_positions:list_positions", "open positions under the plan's names"),
    "performance-report": Entry(
        "pumpswap.cli.performance_report:performance_report", "profit, costs and rounds of the last days"
    ),
    "report": Entry("pumpswap.cli.report:report", "what was earned, as text, page, JSON or CSV; metrics"),
    "alerts": Entry("pumpswap.cli.alerts:alerts", "what an engine has told, and how it gets to you"),
    "ledger": Entry("pumpswap.cli.ledger:ledger", "every lamport and token that moved, and whether it adds up"),
    "export": Entry("pumpswap.cli.export:export", "trades, ledger, tax lots as CSV or JSON lines"),
    "reconcile": Entry("pumpswap.cli.reconcile:reconcile", "do the books agree with the wallet on the chain?"),
    "runs": Entry("pumpswap.cli.runs:runs", "runs of the database, each with its own books"),
    "backtest": Entry("pumpswap.cli.backtest:backtest", "a strategy in recorded markets that feel its trades"),
    "tune": Entry("pumpswap.cli.tune:tune", "many settings, judged where they were not fitted"),
    "nautilus": Entry("pumpswap.cli.nautilus:nautilus", "PumpSwap as a venue of NautilusTrader"),
    "collect": Entry("pumpswap.cli.collect:collect", "new pools, candles and trades into a database"),
    "data": Entry("pumpswap.cli.data:data", "the market's history in files: list, verify, export"),
    "db": Entry("pumpswap.cli.db:db", "the database: check, backup, restore, your collector's"),
    "signal": Entry("pumpswap.cli.signal:signal", "score pools by what can really be traded"),
    "pool": Entry("pumpswap.cli.pool:pool", "pools on the chain, and the bytes of their accounts"),
    "screen": Entry("pumpswap.cli.screen:screen", "what is wrong with a token, and what nobody could see"),
    "event": Entry("pumpswap.cli.event:event", "read what the program reports in transactions"),
    "tx": Entry("pumpswap.cli.tx:tx", "what a transaction did, cost, and why it failed"),
    "init": Entry("pumpswap.cli.init:init", "a settings file to begin with, and what comes next"),
    "config": Entry("pumpswap.cli.config:config", "settings: show, change, check, translate"),
    "host": Entry("pumpswap.cli.host:host", "our commands in your own program's command line"),
    "wallet": Entry("pumpswap.cli.wallet:wallet", "keys under a password, and what they may spend"),
    "doctor": Entry("pumpswap.cli.doctor:doctor", "is everything in order before money moves?"),
    "protocol": Entry("pumpswap.cli.protocol:protocol", "is the program the one that this version knows?"),
    "localnet": Entry("pumpswap.cli.localnet:localnet", "a practice chain that runs the real program"),
    "completion": Entry("pumpswap.cli.completion:completion", "make your shell complete commands and options"),
    "version": Entry("pumpswap.cli.version:version", "versions of pumpswap and what it runs on"),
}

pumpswap = LazyGroup(
    "pumpswap",
    entries=COMMANDS,
    is_root=True,
    help=(
        "Exact PumpSwap trading: quotes, decoding and strategies, on paper by default.\n\n"
        "Nothing spends money without three things at once: --live, the wallet's password, and limits set for it."
    ),
    examples=[
        Example("pumpswap demo", "one minute: no key, no network, nothing to lose"),
        Example("pumpswap quote --buy-sol 1", "what one SOL buys in a fresh graduate, to the last unit"),
        Example("pumpswap localnet start --market 3", "a practice chain for all that follows", needs="the program"),
        Example("pumpswap --json quote --sell-base 1000000", "the same for scripts: one JSON object"),
    ],
)
click.version_option(__version__, prog_name="pumpswap", message="%(prog)s %(version)s")(pumpswap)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode gets question marks, not a traceback.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    pumpswap.main(prog_name="pumpswap")
