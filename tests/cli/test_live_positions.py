"""Positions of a live wallet on a practice chain: refreshed, closed, adopted, ignored, and checked afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.sdk.wallet_lock import WalletLock
from tests.cli.books_of import place
from tests.cli.practice import Where, coin_of, funded_key, imported, may_trade, practice_chain
from tests.cli.running import answer, parsed, refusal, run
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    with practice_chain(market=2) as running:
        yield running


@pytest.fixture(scope="module")
def coin(localnet: RunningLocalnet) -> str:
    return coin_of(localnet)


@pytest.fixture
def key(localnet: RunningLocalnet, monkeypatch: pytest.MonkeyPatch) -> Keypair:
    """10 SOL; the password of its keystores is in the environment."""
    may_trade(monkeypatch)
    return funded_key(localnet)


def books_of(key: Keypair, folder: Path, localnet: RunningLocalnet, engine: str = "sqlite") -> Where:
    """A data folder for this key. Two of them are two programs that trade with one wallet."""
    folder.mkdir()
    data = place(folder, engine)
    imported(key, folder.parent, *data)
    answer("wallet", "limits", "--max-order", "0.6", "--max-day", "5", "--min-reserve", "0.05", *data)
    return ("--url", localnet.http_url, *data)


@pytest.fixture
def ours(request: pytest.FixtureRequest, key: Keypair, localnet: RunningLocalnet, tmp_path: Path) -> Where:
    return books_of(key, tmp_path / "ours", localnet, getattr(request, "param", "sqlite"))


@pytest.fixture
def by_hand(key: Keypair, localnet: RunningLocalnet, tmp_path: Path) -> Where:
    """The same wallet in another program."""
    return books_of(key, tmp_path / "by_hand", localnet)


def live(*arguments: str) -> dict[str, Any]:
    result = run("--json", *arguments, "--slippage-bps", "3000", "--live", "--yes")
    assert result.exit_code == 0, result.output
    return parsed(result.stdout)


def data_of(where: Where) -> Where:
    return where[2:]


def test_a_position_is_refreshed_then_closed_as_sell_all_does(ours: Where, coin: str) -> None:
    bought = live("buy", coin, "0.2", *ours)
    (held,) = answer("positions", "list", *data_of(ours))["positions"]
    assert (held["base_units"], held["value_lamports"]) == (bought["base_units"], None)
    (fresh,) = answer("positions", "list", "--refresh", *ours)["positions"]
    assert 0 < int(fresh["value_lamports"]) < int(bought["quote_lamports"]) * 2
    assert -0.9 < fresh["exits"]["stop_loss"] < 0.5
    (stored,) = answer("positions", "list", *data_of(ours))["positions"]
    assert stored["mark"] == fresh["mark"]

    planned = answer("positions", "close", coin, *ours)
    assert (planned["status"], planned["base_units"]) == ("simulated", bought["base_units"])
    assert answer("sell", held["pool"], "all", *ours)["base_units"] == bought["base_units"]
    result = run("--json", "positions", "close", held["pool"], "--live", *ours)
    assert (result.exit_code, "--yes" in parsed(result.stdout)["what"]) == (2, True)
    declined = run("positions", "close", held["pool"], "--live", *ours, input="n\n")
    assert declined.exit_code == 130
    assert "Trade now" in declined.stderr

    sold = live("positions", "close", held["pool"], *ours)
    assert (sold["status"], sold["base_units"]) == ("filled", bought["base_units"])
    assert answer("positions", "list", *data_of(ours))["positions"] == []
    story = answer("positions", "show", coin, *data_of(ours))
    assert [trade["side"] for trade in story["trades"]] == ["buy", "sell"]
    assert story["trades"][1]["signature"] == sold["tx_id"]
    assert answer("ledger", "check", *data_of(ours))["balanced"] is True
    assert "no position in" in refusal(3, "positions", "close", coin, *ours)["what"]


def test_what_is_not_held_cannot_be_closed(ours: Where, coin: str) -> None:
    assert "no position in" in refusal(3, "positions", "close", coin, *ours)["what"]
    result = run("--json", "positions", "close", coin, "--live", "--yes", *ours)
    assert (result.exit_code, parsed(result.stdout)["code"]) == (3, "not_found")


def test_a_refresh_asks_the_chain_of_the_run_only(ours: Where, coin: str, localnet: RunningLocalnet) -> None:
    live("buy", coin, "0.1", *ours)
    with start_process(LocalnetOptions(programs=material("chain"), slot_ms=100, seed=4)) as other:
        error = refusal(4, "positions", "list", "--refresh", "--url", other.http_url, *data_of(ours))
    assert (error["code"], "the endpoint serves" in error["what"]) == ("wrong_network", True)
    refusal(11, "positions", "list", "--refresh", "--url", "http://127.0.0.1:9", *data_of(ours))


@pytest.mark.parametrize("ours", ["sqlite", "postgres"], indirect=True)
def test_tokens_bought_by_hand_are_adopted_at_what_they_cost(ours: Where, by_hand: Where, coin: str) -> None:
    live("buy", coin, "0.1", *ours)
    live("positions", "close", coin, *ours)
    bought = live("buy", coin, "0.3", *by_hand)
    answer("reconcile", *ours)
    listed = answer("positions", "list", *data_of(ours))
    assert listed["in_no_position"] == {coin: bought["base_units"]}
    assert coin in run("positions", "list", *data_of(ours)).stdout

    error = parsed(run("--json", "positions", "adopt", coin, *data_of(ours)).stdout)
    paid = int(bought["quote_lamports"])  # what the network took is a cost of upkeep already
    assert "--cost-sol" in error["hint"]
    half = int(bought["base_units"]) // 2
    declined = run("positions", "adopt", coin, *data_of(ours), input="n\n")
    assert declined.exit_code == 130
    first = answer("positions", "adopt", coin, "--units", str(half), "--yes", *data_of(ours))
    assert first["position"]["cost_lamports"] == str(paid * half // int(bought["base_units"]))
    assert first["position"]["round"] == 2
    assert first["units_left"] == str(int(bought["base_units"]) - half)
    assert "has an open position" in refusal(2, "positions", "adopt", coin, "--cost-zero", *data_of(ours))["what"]

    held = answer("positions", "list", "--refresh", *ours)["positions"][0]
    assert (held["base_units"], held["base_decimals"]) == (str(half), 6)
    assert held["value_lamports"] is not None
    assert answer("ledger", "check", *data_of(ours))["balanced"] is True
    sold = live("positions", "close", coin, *ours)
    assert sold["base_units"] == str(half)
    assert answer("ledger", "check", *data_of(ours))["balanced"] is True
    lots = answer("positions", "show", coin, *data_of(ours))["lots"]
    assert {lot["end"] for lot in lots} == {"sold"}


def test_the_books_of_a_wallet_that_is_traded_with_are_not_changed(
    ours: Where, by_hand: Where, coin: str, key: Keypair, tmp_path: Path
) -> None:
    live("buy", coin, "0.1", *by_hand)
    answer("reconcile", *ours)
    lock = WalletLock(tmp_path / "ours" / "data" / "locks", key.pubkey())
    lock.take()
    try:
        for command in (("adopt", coin, "--cost-zero"), ("ignore", coin)):
            error = refusal(1, "positions", *command, *data_of(ours))
            assert "another process is trading with wallet" in error["what"]
    finally:
        lock.release()
    adopted = run("positions", "adopt", coin, "--cost-zero", *data_of(ours))
    assert adopted.exit_code == 0, adopted.output
    assert "raw units, at a cost of 0 SOL" in adopted.stdout
    (held,) = answer("positions", "list", *data_of(ours))["positions"]
    assert (held["base_decimals"], held["exits"]["stop_loss"]) == (None, None)
    (held,) = answer("positions", "list", "--refresh", *ours)["positions"]
    assert (held["base_decimals"], held["unrealised_lamports"]) == (6, held["value_lamports"])
    assert "a position holds" in refusal(2, "positions", "ignore", coin, *data_of(ours))["what"]
    assert "no units" in refusal(3, "positions", "adopt", coin, "--cost-zero", *data_of(ours))["what"]


def test_ignored_tokens_are_left_out_until_they_are_heeded(ours: Where, by_hand: Where, coin: str) -> None:
    live("buy", coin, "0.1", *by_hand)
    answer("reconcile", *ours)
    told = answer("positions", "ignore", coin, "--reason", "spam", *data_of(ours))
    assert told["ignored"] == {coin: "spam"}
    listed = answer("positions", "list", *data_of(ours))
    assert (listed["in_no_position"], listed["ignored"]) == ({}, {coin: "spam"})
    assert "--undo" in refusal(2, "positions", "adopt", coin, "--cost-zero", *data_of(ours))["hint"]
    answer("positions", "ignore", coin, "--undo", *data_of(ours))
    assert coin in answer("positions", "list", *data_of(ours))["in_no_position"]
    assert "is not ignored" in refusal(3, "positions", "ignore", coin, "--undo", *data_of(ours))["what"]


def test_what_makes_no_sense_is_refused(ours: Where, coin: str) -> None:
    assert "there are no books" in refusal(3, "positions", "ignore", coin, "--data-dir", f"{ours[3]}-other")["what"]
    live("buy", coin, "0.1", *ours)
    data = data_of(ours)
    stranger = str(Pubkey.new_unique())
    refusal(2, "positions", "adopt", coin, "--cost-zero", "--cost-sol", "1", *data)
    refusal(2, "positions", "adopt", "So11111111111111111111111111111111111111112", "--cost-zero", *data)
    refusal(3, "positions", "adopt", stranger, "--cost-zero", *data)
    refusal(2, "positions", "adopt", coin, "--units", "some", "--cost-zero", *data)
    refusal(3, "positions", "ignore", coin, "--run", "9", *data)
    refusal(3, "positions", "ignore", stranger, "--network", "devnet", *data)
    refusal(2, "positions", "ignore", stranger, "--undo", "--reason", "x", *data)
