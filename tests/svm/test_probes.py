"""The recorded probes, sent again: same answer, same movements, and our own model says the same."""

from __future__ import annotations

from typing import Any

import pytest

from pumpswap.amm import decode_event, execute_buy, execute_buy_exact_quote_in, execute_sell, failure_from_logs
from pumpswap.errors import TradeRefused
from tests.support.material import requires_material
from tests.svm.chain import Chain, Failure, Receipt
from tests.svm.probe import SwapProbe, recorded_probes, setup_of
from tests.svm.trade_accounts import ACCUMULATOR_LEN, Balances

pytestmark = [requires_material("chain", "programs"), requires_material("protocol", "vectors", "svm_v1.json")]

SWAPS = [probe for probe in recorded_probes() if probe["ix"] in ("buy", "buy_exact_quote_in", "sell")]
EXECUTED = {"buy": execute_buy, "buy_exact_quote_in": execute_buy_exact_quote_in, "sell": execute_sell}
# What is wrong here is in the accounts, which the arithmetic does not see.
OUTSIDE_THE_MODEL = {"remaining accounts", "fixed accounts", "user balance"}


def named(probes: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("probe", probes, ids=[f"{probe['id']}-{probe['title'][:40]}" for probe in probes])


def in_the_model(probe: dict[str, Any]) -> bool:
    setup = setup_of(probe)
    if probe["group"] in OUTSIDE_THE_MODEL or setup.recipient == "unlisted" or setup.transfer_fee_bps:
        return False
    if probe["ok"] or probe["error"]["code"] is None or probe["error"]["code"] < 6000:
        return probe["ok"]
    return (
        probe["error"]["code"] not in (6053, 6058)
        and "before insufficient funds" not in probe["title"]
        and (probe["tail"] in ("full", "buyback_only") or "before missing tail" in probe["title"])
    )


def deltas(before: Balances, after: Balances) -> dict[str, str]:
    names = {
        "user_base": "user_base",
        "user_quote": "user_quote",
        "pool_base": "base_vault",
        "pool_quote": "quote_vault",
    }
    return {told: str(getattr(after, name) - getattr(before, name)) for told, name in names.items()}


@named(SWAPS)
def test_a_recorded_swap_probe_gets_the_recorded_answer(chain: Chain, probe: dict[str, Any]) -> None:
    swap = SwapProbe(chain, probe)
    outcome, before, after = swap.send()
    if not probe["ok"]:
        assert isinstance(outcome, Failure), "the program accepted it"
        check_rejection(probe, outcome)
        assert before._replace(user_lamports=0) == after._replace(user_lamports=0)
        return
    assert isinstance(outcome, Receipt), f"{outcome.name}: {outcome.logs[-3:]}"
    if "deltas" in probe:
        found = deltas(before, after)
        if setup_of(probe).base_account != "own":
            assert int(found["user_base"]) == int(next(iter(probe["observed"].values())))
            found["user_base"] = "0"
        assert found == probe["deltas"]
    check_observed(swap, outcome, before, after)


def check_rejection(probe: dict[str, Any], failure: Failure) -> None:
    expected = probe["error"]
    assert failure.code == expected["code"], failure.logs[-4:]
    told = failure_from_logs(failure.logs)
    if expected["code"] is None:
        # The runtime stopped the transaction before the program could name an error.
        assert failure.name == expected["name"]
    else:
        assert told is not None
        assert told.error is not None
        assert told.error.code == expected["code"]
        assert told.error.name == expected["name"].rpartition("::")[2]


def check_observed(swap: SwapProbe, receipt: Receipt, before: Balances, after: Balances) -> None:
    """The further facts of a probe, each by its own key."""
    observed = swap.probe.get("observed", {})
    (raw,) = receipt.events
    assert receipt.logged_events == [raw]
    event = decode_event(raw)
    for key, value in observed.items():
        if key == "cashback_ata_balance":
            assert after.cashback == int(value)
        elif key == "uva_len":
            account = swap.chain.account(swap.who.accumulator)
            assert account is not None
            assert len(account.data) == value == ACCUMULATOR_LEN
        elif key == "uva_exists":
            assert (swap.chain.account(swap.who.accumulator) is not None) is value
        elif key == "uva_lamports":
            assert swap.chain.lamports(swap.who.accumulator) == int(value)
        elif key == "user_lamports_spent":
            assert before.user_lamports - after.user_lamports == int(value)
        elif key == "exists_after":
            assert not after.missing
        elif key == "payload_len":
            assert len(raw) - 8 == value
        elif key == "event":
            assert type(event).__name__ == value
        elif hasattr(event, key):
            assert str(getattr(event, key)) == value


@named([probe for probe in SWAPS if in_the_model(probe)])
def test_our_model_answers_a_probe_as_the_program_did(chain: Chain, probe: dict[str, Any]) -> None:
    swap = SwapProbe(chain, probe)
    chain.disable(swap.setup.flags)
    schedule = chain.schedule()
    chain.disable(0)
    execute = EXECUTED[probe["ix"]]
    if not probe["ok"]:
        with pytest.raises(TradeRefused) as refusal:
            execute(swap.market.state, schedule, *swap.arguments, generation=1)
        assert (refusal.value.code, refusal.value.name) == (probe["error"]["code"], probe["error"]["name"])
        return
    done = execute(swap.market.state, schedule, *swap.arguments, generation=1)
    if "deltas" in probe:
        state = swap.market.state
        assert {
            "user_base": str(done.transfers.user_base_change),
            "user_quote": str(done.transfers.user_quote_change),
            "pool_base": str(done.state.base_reserve - state.base_reserve),
            "pool_quote": str(done.state.quote_vault - state.quote_vault),
        } == probe["deltas"]


def test_the_inner_instructions_of_a_buy_come_in_the_recorded_order(chain: Chain) -> None:
    (probe,) = [probe for probe in SWAPS if "inner_instructions" in probe.get("observed", {})]
    swap = SwapProbe(chain, probe)
    outcome, _, _ = swap.send()
    assert isinstance(outcome, Receipt)
    pool, who = swap.market.pool, swap.who
    places = {
        "pool_base": pool.pool_base_token_account, "user_base": who.user_base,
        "pool_quote": pool.pool_quote_token_account, "user_quote": who.user_quote,
        "protocol_recipient_ata": who.protocol, "creator_vault_ata": who.creator, "buyback_ata": who.buyback,
    }  # fmt: skip
    transfers = [
        (accounts[0], accounts[2], int.from_bytes(data[1:9], "little"))
        for _, data, accounts in outcome.inner
        if data[:1] == b"\x0c" and len(data) == 10
    ]
    recorded = probe["observed"]["inner_instructions"]
    assert transfers == [
        (places[step["source"]], places[step["destination"]], int(step["amount"]))
        for step in recorded
        if step["instruction"] == "TransferChecked"
    ]
    assert len(outcome.inner) == len(recorded)


def test_all_recorded_swap_probes_are_here() -> None:
    assert len(recorded_probes()) == 147
    assert len(SWAPS) == 112
