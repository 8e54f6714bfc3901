"""``pumpswap live``: the check that a run with money needs, and a trade that measures what trading costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumpswap.localnet.process import RunningLocalnet
from tests.cli.practice import Where, funded_key, imported, may_trade, practice_chain
from tests.cli.running import answer, parsed, refusal, run
from tests.support.material import requires_material
from tests.support.snapshot_rows import CollectorFile

pytestmark = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    with practice_chain(market=3, seed=5) as running:
        yield running


@pytest.fixture
def where(localnet: RunningLocalnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Where:
    """A data folder with a wallet of 10 SOL, without limits."""
    may_trade(monkeypatch)
    monkeypatch.setenv("PUMPSWAP_RISK__SLIPPAGE_BPS", "3000")
    monkeypatch.setenv("PUMPSWAP_EXITS__SLIPPAGE_BPS", "3000")
    data = ("--data-dir", str(tmp_path / "data"))
    imported(funded_key(localnet), tmp_path, *data)
    return ("--url", localnet.http_url, *data)


def refused(exit_code: int, *arguments: str) -> dict[str, Any]:
    """What a command says that is refused after the wallet was unlocked: that its password was found is a warning."""
    result = run("--json", *arguments)
    assert result.exit_code == exit_code, result.output
    return parsed(result.stdout)


def limited(where: Where) -> Where:
    answer("wallet", "limits", "--max-order", "0.5", "--max-day", "2", "--min-reserve", "0.05", *where[2:])
    return where


def test_everything_that_is_missing_for_money_is_named_with_the_command_that_gives_it(where: Where) -> None:
    told = refusal(4, "run", "--mode", "auto", *where)["what"]
    assert "3 things are missing" in told
    assert "--live is missing" in told
    assert "pumpswap wallet limits --max-order SOL --max-day SOL --min-reserve SOL" in told
    assert "pumpswap live check, once the rest is there" in told
    told = refusal(4, "run", "--live", *where)["what"]
    assert "the mode paper orders nothing live" in told
    limited(where)
    told = refused(4, "run", "--mode", "auto", "--live", *where)
    assert ("no `live check`" in told["what"], told["hint"]) == (True, "run it: pumpswap live check")
    assert "--market" in refusal(2, "run", "--mode", "auto", "--live", "--market", "simulated", *where)["hint"]


def test_a_check_passes_on_a_chain_that_trades_and_says_what_a_round_trip_would_cost(where: Where) -> None:
    assert "wallet limits" in refused(13, "live", "check", *where)["hint"]
    limited(where)
    found = answer("live", "check", *where)
    assert found["passed"] is True
    checks = {check["name"]: check for check in found["checks"]}
    assert {"wallet", "books", "balance", "endpoint", "pool", "buy", "sell", "costs"} <= checks.keys()
    assert checks["books"]["text"].startswith("the books agree with the wallet")
    assert checks["sell"]["text"].startswith("simulated in the same transaction: ")
    assert "SOL would be gone" in checks["costs"]["text"]
    people = run("live", "check", "--sol", "0.02", *where)
    assert people.exit_code == 0
    assert "simulated: 0.02 SOL for" in people.stdout
    assert "Next: pumpswap run --live" in people.stderr


def test_a_check_that_fails_names_what_and_does_not_count(where: Where) -> None:
    limited(where)
    result = run("--json", "live", "check", "--sol", "0.6", *where)
    failed = [check for check in parsed(result.stdout)["checks"] if check["status"] == "failed"]
    assert (result.exit_code, [check["name"] for check in failed]) == (7, ["balance"])
    assert "more than the limits allow" in failed[0]["hint"]
    assert "no `live check`" in refused(4, "run", "--mode", "auto", "--live", *where)["what"]


def test_a_test_trade_asks_first_and_tells_costs_by_kind(where: Where) -> None:
    limited(where)
    declined = run("live", "test-trade", *where, input="n\n")
    assert declined.exit_code == 130
    assert "Buys for 0.01 SOL" in declined.stderr
    assert "--yes" in refused(2, "live", "test-trade", *where)["what"]
    found = parsed(run("--json", "live", "test-trade", "--sol", "0.05", "--yes", *where).stdout)
    assert found["status"] == "filled", found
    bought, sold = found["sides"]
    assert (bought["side"], sold["side"]) == ("buy", "sell")
    for side in (bought, sold):
        assert int(side["network_fee_lamports"]) == -5_000
        assert int(side["protocol_fee_lamports"]) < 0
        assert side["seconds"] > 0
    moved = sum(int(side[name]) for side in (bought, sold) for name in side if name.endswith("_lamports"))
    assert -moved == int(found["lost_lamports"]) + int(found["rent_lamports"])
    assert answer("positions", "list", *where[2:])["positions"] == []
    assert answer("ledger", "check", *where[2:])["balanced"] is True
    assert answer("reconcile", *where)["status"] == "clean"
    shown = run("live", "test-trade", "--yes", *where)
    assert shown.exit_code == 0
    assert "There and back" in shown.stdout
    assert "Gone for good" in shown.stdout


def test_a_run_with_money_begins_after_the_check_and_ends_in_order(where: Where, tmp_path: Path) -> None:
    limited(where)
    answer("live", "check", *where)
    rows = CollectorFile.made(tmp_path / "rows.sqlite")
    arguments = ("run", "--mode", "auto", "--live", "--duration", "3s", "--collector", str(rows.path), *where)
    result = run("--json", *arguments)
    assert result.exit_code == 0, result.output
    begin, *_, end = [json.loads(line) for line in result.stdout.splitlines()]
    assert (begin["kind"], begin["taken_up"]["open_positions"]) == ("live", 0)
    assert (end["ended"], end["orders_on_the_way"], end["is_finished"]) == ("time is up", 0, False)
    people = run(*arguments)
    assert "Practice money" in people.stderr
    assert "Run" in people.stdout and "time is up" in people.stdout
