"""The 570 recorded random trades of the build: executed again, and quoted by us, with the recorded outcome each."""

from __future__ import annotations

import base64
import json
import random
from functools import cache
from typing import Any

import pytest
from solders.compute_budget import set_compute_unit_limit
from solders.keypair import Keypair

from pumpswap.amm import decode_event, execute_buy, execute_buy_exact_quote_in, execute_sell
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.errors import TradeRefused
from tests.support.material import material, requires_material
from tests.svm.chain import Chain, Failure, Receipt
from tests.svm.market import Market, Reserves, make_market
from tests.svm.probe import kind_of
from tests.svm.raw_swap import buyback_tail, full_tail, raw_swap, swap_data
from tests.svm.trade_accounts import TradeAccounts

pytestmark = [requires_material("chain", "programs"), requires_material("protocol", "vectors", "svm_v1.json")]

EXECUTED = {"buy": execute_buy, "buy_exact_quote_in": execute_buy_exact_quote_in, "sell": execute_sell}
# Keys differ from run to run; every figure of the event must be the recorded one.
KEYS = {
    "pool", "user", "user_base_token_account", "user_quote_token_account", "protocol_fee_recipient",
    "protocol_fee_recipient_token_account", "coin_creator",
}  # fmt: skip


@cache
def vectors() -> dict[str, Any]:
    path = material("protocol", "vectors", "svm_v1.json")
    return json.loads(path.read_text()) if path is not None else {"trades": [], "pool_kinds": {}}


def market_of(trade: dict[str, Any]) -> Market:
    program = TOKEN_2022_PROGRAM if trade["base_token_program"] == "token-2022" else TOKEN_PROGRAM
    reserves = Reserves(*(int(trade["state"][name]) for name in ("base_vault", "quote_vault", "base_supply")))
    kind = kind_of(vectors()["pool_kinds"][trade["pool_kind"]])
    return make_market(
        kind, reserves, random.Random(trade["id"]), base_program=program, account_len=trade["account_len"]
    )


def arguments(trade: dict[str, Any]) -> tuple[int, int]:
    first, second = map(int, trade["args"].values())
    return first, second


@pytest.mark.parametrize("kind", ["wsol", "usdc", "permissionless", "mayhem", "no_creator", "cashback"])
def test_the_program_still_answers_a_recorded_trade_as_recorded(chain: Chain, kind: str) -> None:
    user = Keypair.from_seed(kind.encode().ljust(32, b"."))
    for trade in vectors()["trades"]:
        if trade["pool_kind"] == kind:
            check_on_chain(chain, user, trade)


def check_on_chain(chain: Chain, user: Keypair, trade: dict[str, Any]) -> None:
    market, config, name = market_of(trade), chain.schedule().global_config, trade["ix"]
    state = market.state
    recipient = config.protocol_recipients(is_mayhem_mode=state.pool.is_mayhem_mode)[0]
    who = TradeAccounts.of(state, user.pubkey(), recipient, config.buyback_fee_recipients[0])
    before = vectors()["user_before"]
    market.write(chain)
    who.write_user(chain, state, base=int(before["base"]), quote=int(before["quote"]), lamports=10**12)
    who.write_fee_accounts(chain, state, missing=frozenset())
    data = swap_data(name, *arguments(trade))
    if trade["track_volume"] is not None:
        data += bytes([trade["track_volume"]])
    tail = full_tail(name, state, who, charges_creator=trade["fees_bps"][2] > 0)
    if trade["tail"] == "buyback_only":
        tail = buyback_tail(who.buyback_wallet, who.buyback)
    outcome = chain.send([set_compute_unit_limit(400_000), raw_swap(name, data, state, who, tail)], user)
    if "error" in trade:
        assert isinstance(outcome, Failure), trade["id"]
        assert outcome.code == trade["error"]["code"], trade["id"]
        return
    assert isinstance(outcome, Receipt), (trade["id"], outcome)
    found = who.balances(chain, state)
    assert trade["after"] == {
        "base_vault": str(found.base_vault),
        "quote_vault": str(found.quote_vault),
        "user_base": str(found.user_base),
        "user_quote": str(found.user_quote),
        "protocol_recipient": str(found.protocol),
        "creator": str(found.creator + found.cashback),
        "buyback": str(found.buyback),
    }, trade["id"]
    assert figures(outcome.events[0]) == recorded_figures(trade), trade["id"]


def figures(raw: bytes) -> dict[str, Any]:
    event = decode_event(raw)
    return {name: getattr(event, name) for name in event.__struct_fields__ if name not in KEYS}


def recorded_figures(trade: dict[str, Any]) -> dict[str, Any]:
    return figures(base64.b64decode(trade["event_b64"]))


def test_our_model_gives_every_recorded_trade_its_recorded_outcome(chain: Chain) -> None:
    schedule = chain.schedule()
    for trade in vectors()["trades"]:
        market, execute = market_of(trade), EXECUTED[trade["ix"]]
        assert schedule.rates(market.state) == tuple(trade["fees_bps"]), trade["id"]
        assert market.state.market_cap == int(trade["market_cap"])
        if "error" in trade:
            if trade["error"]["code"] < 6000 or trade["error"]["code"] == 6053:
                continue  # about balances and accounts, not about arithmetic
            with pytest.raises(TradeRefused) as refusal:
                execute(market.state, schedule, *arguments(trade), generation=1)
            assert refusal.value.code == trade["error"]["code"], trade["id"]
            continue
        done = execute(market.state, schedule, *arguments(trade), generation=1)
        assert (done.state.base_reserve, done.state.quote_vault) == (
            int(trade["after"]["base_vault"]),
            int(trade["after"]["quote_vault"]),
        ), trade["id"]
        moved = done.transfers
        assert str(moved.protocol_recipient) == trade["after"]["protocol_recipient"]
        assert str(moved.creator_vault + moved.user_cashback) == trade["after"]["creator"]
        assert str(moved.buyback) == trade["after"]["buyback"]


def test_all_recorded_trades_are_here() -> None:
    assert len(vectors()["trades"]) == 570
