"""``pumpswap execute-signal``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.asking import confirm_trade
from pumpswap.cli.chain_options import chain_options, chain_settings, wallet_options
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME, SOURCE

if TYPE_CHECKING:
    from pathlib import Path

    from pumpswap.app.execute_signal import DryRun
    from pumpswap.sdk.trader import LimitedSigner
    from pumpswap.settings import Settings

__all__ = ["execute_signal"]

_NEEDS = "a collector's database and a chain"


@command(
    "execute-signal",
    help=(
        "Execute one signal, once: analysed, sized, judged by every limit, ordered, booked. On paper, with the real "
        "pool's exact prices; with --live and an unlocked wallet, for real.\n\n"
        "The signal is that of the pool's newest row in the collector's database, or a JSON object of your own "
        "(--signal; the documentation's page 'The executor' has its keys). A signal that has traded does not trade "
        "again.\n\n"
        "Exit codes: 0 executed, or nothing to do; 2 a wrong call or signal; 3 no row of this pool; 4 a setting; 7 "
        "refused by a rule; 8 by the chain; 9 outcome unknown: do not repeat it, ask 'tx show'; 11 the network; "
        "12 upgrade pumpswap; 13 the wallet."
    ),
    examples=[
        Example("pumpswap execute-signal --pool-id POOL --dry-run", "what it would do", needs=_NEEDS),
        Example("pumpswap execute-signal --pool-id solana_POOL --database gecko.db", "on paper", needs=_NEEDS),
        Example("pumpswap execute-signal --signal signal.json --json", "your own model's", needs=_NEEDS),
    ],
)
@option("--pool-id", type=NAME, metavar="ID", help="The pool, with or without its network in front.")
@option("--signal", "signal_file", type=SOURCE, metavar="FILE", help="A JSON object; - reads standard input.")
@option(
    "--database", type=SOURCE, metavar="DATABASE", help="Of the collector; default: run.collector, else the books'."
)
@option("--dry-run", is_flag=True, help="Only show: size, steps, and what every limit says.")
@option("--live", is_flag=True, help="Really trade, with real money on mainnet. Never a setting.")
@wallet_options
@chain_options
@pass_output
def execute_signal(
    out: Output,
    pool_id: str | None,
    signal_file: str | None,
    database: str | None,
    dry_run: bool,
    live: bool,
    wallet: str | None,
    password_fd: int | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.app.run_needs import collector_of
    from pumpswap.cli.trading import WalletChoice, unlock_wallet
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import UsageError

    if pool_id is None and signal_file is None:
        raise UsageError("there is no signal", hint="name a pool with --pool-id, or a JSON object with --signal")
    if signal_file is not None and database is not None:
        raise UsageError("--signal is a signal of your own", hint="leave --database out")
    if live and dry_run:
        raise UsageError("--live and --dry-run at once", hint="one of them")
    settings = chain_settings(out, urls, ws_url, network)
    signer = unlock_wallet(out, settings, WalletChoice(wallet, password_fd)) if live else None
    if signer is not None:
        confirm_trade(out, "--live", signer.public_key)
    own = None if signal_file is None else _own_signal(signal_file, pool_id)
    source = database or collector_of(settings)
    code = wait_for(_run(out, settings, (pool_id, own, source), signer, dry_run=dry_run))
    if code:
        click.get_current_context().exit(code)


def _own_signal(file: str, pool_id: str | None) -> dict[str, Any]:
    from pumpswap.app.execute_signal import check_signal, require_name
    from pumpswap.cli.sources import json_object, read_source
    from pumpswap.errors import BadInput, UsageError

    name = "standard input" if file == "-" else file
    try:
        found = json_object(read_source(file), name)
    except BadInput as broken:
        raise UsageError(broken.what, hint=broken.hint) from None
    signal = check_signal(found, pool_id)
    require_name(signal)
    return signal


async def _run(
    out: Output,
    settings: Settings,
    signal: tuple[str | None, dict[str, Any] | None, str | Path],
    signer: LimitedSigner | None,
    *,
    dry_run: bool,
) -> int:
    from pumpswap.app.execute_signal import SignalCall, exit_code_of, signal_of_row
    from pumpswap.clock import SystemClock
    from pumpswap.sdk.executor import ChainStates

    clock = SystemClock()
    states = ChainStates(settings, clock)
    call = SignalCall(settings, states, clock, signer)
    pool_id, own, source = signal
    try:
        data = own if own is not None else await signal_of_row(settings, source, pool_id or "", states, clock)
        if dry_run:
            return _show_look(out, await call.look(data))
        result = dict(await call.execute(data))
    finally:
        await states.aclose()
    _show_result(out, result)
    return exit_code_of(result)


def _show_look(out: Output, found: DryRun) -> int:
    from pumpswap.cli.formats import sol_text

    size = found.size
    if out.json:
        steps = [{"rule": step.rule, "lamports": str(step.lamports), "note": step.note} for step in size.steps]
        data = {"quote_lamports": str(size.lamports), "steps": steps, "refusals": list(size.reasons)}
        out.emit("execute_signal_dry_run", {**data, "fresh_books": found.fresh_books, "signal": dict(found.signal)})
    else:
        signal = found.signal
        score = signal.get("final_signal_score", signal.get("signal_score"))
        out.show(f"Signal  {signal.get('name') or signal.get('pool_id') or signal.get('pair_address') or ''}: "
                 f"{signal.get('side')}, score {_figure(score)}")  # fmt: skip
        for reason in signal.get("reasons", ()):
            out.show(f"  · {reason}")
        for step in size.steps:
            out.show(f"  {step.rule:<20} {sol_text(step.lamports):>18}  {step.note}")
        for reason in size.reasons:
            out.show(f"  refused  {reason}")
        out.show(f"Would buy {sol_text(size.lamports)}." if size.lamports else "Would buy nothing.")
        if found.fresh_books:
            out.say("Nobody trades on paper yet: new books with the settings' capital were assumed.")
    return 7 if not size.lamports and found.signal.get("side") == "long" else 0


def _tokens(amount: object) -> str:
    return f"{amount:,}" if isinstance(amount, (int, float, Decimal)) else str(amount)


def _figure(score: object) -> str:
    return f"{score:.1f}" if isinstance(score, (int, float)) else "none"


def _show_result(out: Output, result: dict[str, Any]) -> None:
    from pumpswap.app.execute_signal import exit_code_of

    if out.json:
        out.emit("execute_signal", {"result": _exact(result)})
        return
    how = "on paper" if result["is_paper"] else "live"
    if result["status"] == "error":
        from pumpswap.cli.failures import Answer, Failure

        what = f"({how}) {result['message'] or result['reason'] or result['error']}"
        hint = "a signal is described in the documentation: The executor"
        raise Failure(Answer(str(result["error"]), exit_code_of(result), what, hint), out.options)
    out.show(f"{result['status'].capitalize()} ({how}): {result['message'] or result['reason'] or result['error']}")
    for refusal in result["refusals"]:
        out.show(f"  · {refusal}")
    if result["status"] == "executed":
        from pumpswap.cli.formats import sol_text

        paid = sol_text(result["quote_lamports"])
        out.show(f"  {result['action']}  {_tokens(result['token_amount'])} tokens for {paid}")
    if result["signature"] and not result["is_paper"]:
        out.show(f"  signature  {result['signature']}", keep_lines=True)
    if result["decision_id"]:
        out.say(f"\nWhy: pumpswap why {result['order_id'] or result['decision_id']}")


def _exact(value: Any, key: str = "") -> Any:
    """Raw amounts as texts, however deep: a script's floats would round them."""
    if isinstance(value, dict):
        return {name: _exact(one, str(name)) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(one, key) for one in value]
    is_raw = isinstance(value, int) and not isinstance(value, bool) and key.endswith(("_lamports", "_units", "_ns"))
    return str(value) if is_raw or not isinstance(value, (str, int, float, bool, type(None))) else value
