"""The commands that ask a chain, on a practice chain in a process of its own, with the real program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from pumpswap.localnet.process import RunningLocalnet
from tests.cli.practice import PASSWORD, SOL, coin_of, may_trade, practice_chain
from tests.cli.running import answer, parsed, refusal, run
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    with practice_chain(market=2) as running:
        yield running


@pytest.fixture(scope="module")
def coin(localnet: RunningLocalnet) -> str:
    return coin_of(localnet)


@pytest.fixture
def chain(localnet: RunningLocalnet, tmp_path: Path) -> tuple[str, ...]:
    return ("--url", localnet.http_url, "--data-dir", str(tmp_path))


@pytest.fixture
def wallet(chain: tuple[str, ...], localnet: RunningLocalnet, monkeypatch: pytest.MonkeyPatch) -> str:
    """A wallet with limits and 10 SOL; its password is in the environment."""
    may_trade(monkeypatch)
    data = chain[2:]
    made = answer("wallet", "create", *data)
    answer("wallet", "limits", "--max-order", "0.6", "--max-day", "2", "--min-reserve", "0.05", *data)
    key = str(made["public_key"])
    answer("localnet", "airdrop", key, "10", "--url", localnet.http_url)
    return key


def trade(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = run("--json", *arguments, "--live", "--yes")
    return result.exit_code, parsed(result.stdout)


def test_doctor_says_what_is_right_and_what_is_missing(chain: tuple[str, ...], coin: str) -> None:
    found = answer("doctor", "--pool", coin, *chain)
    checks = {check["name"]: check for check in found["checks"]}
    assert found["healthy"] is True
    assert {"disk", "database", "configuration", "endpoint", "clock", "pool", "settings accounts"} <= set(checks)
    assert "network localnet" in checks["configuration"]["text"]
    assert "SOL per token" in checks["pool"]["text"]
    assert checks["wallet"]["status"] == "warning"
    assert "wallet create" in checks["wallet"]["hint"]


def test_without_a_network_there_is_one_clear_line(tmp_path: Path) -> None:
    error = refusal(11, "pool", "show", str(Keypair().pubkey()), "--url", "http://127.0.0.1:9")
    assert error["what"].startswith("127.0.0.1:9")
    result = run("doctor", "--url", "http://127.0.0.1:9", "--data-dir", str(tmp_path))
    assert result.exit_code == 11
    assert "✗ network" in result.stdout


def test_without_an_endpoint_the_setting_is_named() -> None:
    assert "chain.endpoints" in refusal(4, "pool", "show", str(Keypair().pubkey()))["hint"]


def test_the_practice_chain_is_not_taken_for_mainnet(localnet: RunningLocalnet) -> None:
    where = ("--url", localnet.http_url)
    assert "mainnet" in refusal(4, "pool", "show", str(Keypair().pubkey()), "--network", "mainnet", *where)["what"]
    error = refusal(4, "pool", "show", str(Keypair().pubkey()), "--network", "devnet", *where)
    assert "serves localnet, the settings say devnet" in error["what"]


def test_protocol_check_finds_the_program_that_it_knows(chain: tuple[str, ...], coin: str) -> None:
    found = answer("protocol", "check", "--pool", coin, *chain)
    assert found["known"] is True
    names = [check["name"] for check in found["checks"]]
    assert names[:2] == ["settings accounts", "fee recipients"]


def test_a_pool_is_shown_found_and_quoted_as_the_chain_has_it(chain: tuple[str, ...], coin: str) -> None:
    found = answer("pool", "find", coin, *chain)
    (pool,) = found["pools"]
    shown = answer("pool", "show", coin, *chain)
    assert shown["address"] == pool["address"]
    assert shown["rates"] == {"lp_bps": 2, "protocol_bps": 93, "creator_bps": 30} or shown["rates"]["lp_bps"] == 20
    quoted = answer("quote", coin, "--buy-sol", "0.1", *chain)
    assert quoted["requested_quote_units"] == str(SOL // 10)
    assert int(quoted["base_units"]) > 0
    assert quoted["state"]["pool"]["base_mint"] == coin


def test_an_unknown_address_is_not_found(chain: tuple[str, ...]) -> None:
    stranger = str(Keypair().pubkey())
    assert "no pool" in refusal(3, "pool", "show", stranger, *chain)["what"]
    assert "no pool" in refusal(3, "pool", "find", stranger, *chain)["what"]


def test_watching_tells_each_swap_once_and_in_order(chain: tuple[str, ...], localnet: RunningLocalnet) -> None:
    pool = answer("localnet", "market", "1", "--url", localnet.http_url)["pools"][0]["address"]
    result = run("--json", "pool", "watch", pool, "--max-swaps", "3", "--for", "60", *chain)
    assert result.exit_code == 0, result.output
    swaps = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(swaps) == 3
    assert len({swap["signature"] for swap in swaps}) == 3
    assert [swap["slot"] for swap in swaps] == sorted(swap["slot"] for swap in swaps)
    assert all(int(swap["price_after"]["numerator"]) > 0 for swap in swaps)


def test_without_live_a_buy_is_simulated_and_spends_nothing(chain: tuple[str, ...], wallet: str, coin: str) -> None:
    found = answer("buy", coin, "0.1", *chain)
    assert (found["status"], found["success"], found["transaction_hash"]) == ("simulated", False, None)
    assert found["quote_lamports"] == str(SOL // 10)
    assert "the simulation succeeded" in found["message"]
    assert int(found["rent_paid_lamports"]) > 0
    assert found["wallet"] == wallet


def test_without_a_wallet_a_buy_is_quoted_only(chain: tuple[str, ...], coin: str) -> None:
    found = answer("buy", coin, "0.1", *chain)
    assert "no wallet is configured" in found["message"]
    assert found["gas_used"] is None


def test_a_live_round_trip_is_filled_booked_and_explained(chain: tuple[str, ...], wallet: str, coin: str) -> None:
    code, bought = trade("buy", coin, "0.2", "--slippage-bps", "3000", *chain)
    assert (code, bought["status"], bought["success"]) == (0, "filled", True), bought
    assert int(bought["quote_lamports"]) <= SOL // 5
    assert bought["transaction_hash"] == bought["tx_id"] == bought["data"]["tx_id"]
    told = answer("tx", "show", bought["tx_id"], *chain)
    assert told["order"] == {
        "order_id": bought["order_id"],
        "status": "filled",
        "attempt": 1,
        "state": "landed",
        "last_valid_block_height": told["order"]["last_valid_block_height"],
    }
    assert told["fee_payer"] == wallet
    assert [swap["base_units"] for swap in told["swaps"]] == [bought["base_units"]]
    spent = int(bought["quote_lamports"]) + bought["gas_used"] + int(bought["rent_paid_lamports"])
    assert int(told["sol_change_lamports"]) == -spent
    code, sold = trade("sell", coin, "all", "--slippage-bps", "3000", *chain)
    assert (code, sold["status"]) == (0, "filled"), sold
    assert sold["base_units"] == bought["base_units"]
    assert int(sold["rent_returned_lamports"]) > 0


def test_a_buy_beyond_the_limits_is_refused_with_every_reason(chain: tuple[str, ...], wallet: str, coin: str) -> None:
    code, found = trade("buy", coin, "5", *chain)
    assert (code, found["status"]) == (7, "refused")
    assert found["refusals"][0] == "size: 5 SOL asked for, the limits allow 1"
    code, found = trade("buy", coin, "0.7", *chain)
    assert (code, found["status"]) == (7, "refused")
    assert found["refusals"] == ["wallet: per order: 0.7 SOL, at most 0.6"]


def test_live_needs_the_password_and_limits(chain: tuple[str, ...], coin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSWAP_WALLET_PASSWORD", PASSWORD)
    answer("wallet", "create", *chain[2:])
    code, found = trade("buy", coin, "0.1", *chain)
    assert (code, found["code"]) == (13, "key_locked")
    assert "has no limits" in found["what"]
    monkeypatch.setenv("PUMPSWAP_WALLET_PASSWORD", "wrong")
    code, found = trade("buy", coin, "0.1", *chain)
    assert (code, found["code"]) == (13, "wrong_password")


def test_json_cannot_answer_a_question(chain: tuple[str, ...], wallet: str, coin: str) -> None:
    result = run("--json", "buy", coin, "0.1", "--live", *chain)
    assert result.exit_code == 2
    assert "--yes" in parsed(result.stdout)["what"]


def test_all_of_nothing_cannot_be_sold(chain: tuple[str, ...], wallet: str, coin: str) -> None:
    code, found = trade("sell", coin, "all", *chain)
    assert (code, found["code"]) == (3, "not_found")


def test_a_signature_that_nobody_knows_is_not_found(chain: tuple[str, ...]) -> None:
    unknown = str(Keypair().sign_message(b"never sent"))
    assert "nor do our books" in refusal(3, "tx", "show", unknown, *chain)["what"]
    assert refusal(2, "tx", "show", "short", *chain)["what"] == "'short' is no signature"


def test_wrapping_and_unwrapping_cost_their_fees_and_rent_and_nothing_else(chain: tuple[str, ...], wallet: str) -> None:
    assert answer("wallet", "wrap", "0.3", *chain)["status"] == "simulated"
    code, wrapped = trade("wallet", "wrap", "0.3", *chain)
    assert (code, wrapped["status"]) == (0, "done"), wrapped
    code, unwrapped = trade("wallet", "unwrap", *chain)
    assert (code, unwrapped["status"]) == (0, "done"), unwrapped
    assert wrapped["rent_paid_lamports"] == unwrapped["rent_returned_lamports"] != "0"
    told = answer("tx", "show", unwrapped["signature"], *chain)
    assert (told["order"]["status"], told["succeeded"]) == ("done", True)
    assert "nothing to unwrap" in refusal(3, "wallet", "unwrap", *chain)["hint"]


def test_there_is_nothing_to_close_in_a_new_wallet(chain: tuple[str, ...], wallet: str) -> None:
    assert "no empty token accounts" in refusal(3, "wallet", "close-empty", *chain)["what"]
