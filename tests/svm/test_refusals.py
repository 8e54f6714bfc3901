"""Wrong inputs get exactly the codes of the build, and what we refuse ourselves carries the code it would give."""

from __future__ import annotations

import pytest

from pumpswap.amm import (
    buy_exact_base,
    buy_exact_quote,
    failure_from_logs,
    sell_exact_base,
    swap_instruction,
)
from pumpswap.amm.addresses import AMM_PROGRAM, TOKEN_PROGRAM
from pumpswap.errors import TradeRefused
from pumpswap.localnet.pool_kinds import KINDS, PoolKind
from tests.support.material import requires_material
from tests.svm.broken_swap import STRANGER, BrokenSwap
from tests.svm.chain import Chain, Failure, Receipt
from tests.svm.market import Reserves, make_market
from tests.svm.random_trades import Trial

pytestmark = requires_material("chain", "programs")

CANONICAL, CASHBACK = PoolKind("canonical"), PoolKind("cashback", cashback=True)
NAMES = ("buy", "buy_exact_quote_in", "sell")
SELL_HAS_NOT = {"global_volume_accumulator", "user_volume_accumulator"}

# role, code the build answers when a stranger's wallet stands in it (None: stopped by the runtime, with its word)
STRANGER_IN = {
    "pool": 3012,
    "global_config": 3012,
    "base_mint": 3012,
    "quote_mint": 3012,
    "user_base_token_account": 3012,
    "user_quote_token_account": 3012,
    "pool_base_token_account": 3012,
    "pool_quote_token_account": 3012,
    "protocol_fee_recipient": 2015,
    "protocol_fee_recipient_token_account": "MissingAccount",
    "base_token_program": 3008,
    "quote_token_program": 3008,
    "system_program": 3008,
    "associated_token_program": 3008,
    "event_authority": 2006,
    "program": 3008,
    "coin_creator_vault_ata": "MissingAccount",
    "coin_creator_vault_authority": 2015,
    "global_volume_accumulator": 3012,
    "user_volume_accumulator": 2006,
    "fee_config": 3012,
    "fee_program": 3008,
    "pool_v2": 6023,
    "buyback_wallet": 6053,
    "buyback_token_account": 6053,
}
FROM_ANOTHER_POOL = {
    "pool": 6008,
    "base_mint": 6008,
    "pool_base_token_account": 6014,
    "pool_quote_token_account": 6015,
    "coin_creator_vault_ata": 2015,
    "coin_creator_vault_authority": 2015,
    "pool_v2": 6023,
}
READ_ONLY = {
    "pool": 2000,
    "user_base_token_account": 2000,
    "user_quote_token_account": 2000,
    "pool_base_token_account": 2000,
    "pool_quote_token_account": 2000,
    "protocol_fee_recipient_token_account": 2000,
    "coin_creator_vault_ata": 2000,
    "user_volume_accumulator": 2000,
    "buyback_token_account": "PrivilegeEscalation",
}
TOO_SHORT = {1: 6058, 2: 6058, 3: 6023, 4: 3005, 5: 3005, 9: 3005}


def cells(table: dict[str, int | str]) -> list[tuple[str, str, int | str]]:
    return [
        (name, role, answer)
        for name in NAMES
        for role, answer in table.items()
        if not (name == "sell" and role in SELL_HAS_NOT)
    ]


def check(outcome: Receipt | Failure, answer: int | str) -> None:
    """The answer is this code, or this word of the runtime; and our reading of the logs finds and explains it."""
    assert isinstance(outcome, Failure), "the program accepted it"
    told = failure_from_logs(outcome.logs)
    assert told is not None
    if isinstance(answer, str):
        assert (outcome.code, outcome.name) == (None, answer)
        assert told.error is None
        return
    assert outcome.code == answer
    assert told.error is not None
    assert told.error.code == answer
    assert told.error.name != "Unknown"
    assert told.error.hint
    assert told.program == (TOKEN_PROGRAM if answer < 100 else AMM_PROGRAM)


@pytest.mark.parametrize("name", NAMES)
def test_the_swap_that_is_broken_below_is_right_as_it_stands(chain: Chain, name: str) -> None:
    assert isinstance(BrokenSwap(chain, name, CANONICAL).send(), Receipt)


@pytest.mark.parametrize(("name", "role", "answer"), cells(STRANGER_IN))
def test_a_stranger_in_a_role_is_found_out(chain: Chain, name: str, role: str, answer: int | str) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    check(swap.send(swap.replaced(role, STRANGER)), answer)


@pytest.mark.parametrize(("name", "role", "answer"), cells(FROM_ANOTHER_POOL))
def test_an_account_of_another_pool_is_found_out(chain: Chain, name: str, role: str, answer: int | str) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    check(swap.send(swap.from_other_pool(role)), answer)


@pytest.mark.parametrize(("name", "role", "answer"), cells(READ_ONLY))
def test_an_account_that_must_be_writable_is_demanded(chain: Chain, name: str, role: str, answer: int | str) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    check(swap.send(swap.read_only(role)), answer)


def test_every_writable_role_of_our_instruction_is_one_the_program_demands(chain: Chain) -> None:
    for name in NAMES:
        swap = BrokenSwap(chain, name, CANONICAL)
        writable = {role for role, meta in zip(swap.roles, swap.right.accounts, strict=True) if meta.is_writable}
        assert writable - {"user"} == READ_ONLY.keys() - (SELL_HAS_NOT if name == "sell" else set())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("count", "answer"), TOO_SHORT.items())
def test_a_list_that_is_too_short_says_where_it_ends(chain: Chain, name: str, count: int, answer: int) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    check(swap.send(swap.cut(count)), answer)


@pytest.mark.parametrize(("name", "answer"), [("buy", 6023), ("buy_exact_quote_in", 6023), ("sell", 6023)])
def test_a_cashback_coin_wants_its_cashback_accounts_first(chain: Chain, name: str, answer: int) -> None:
    swap = BrokenSwap(chain, name, CASHBACK)
    extra = 2 if name == "sell" else 1
    tail = len(swap.right.accounts) - 3
    check(swap.send([*swap.right.accounts[: tail - extra], *swap.right.accounts[tail:]]), answer)


@pytest.mark.parametrize("name", NAMES)
def test_the_users_accounts_in_the_wrong_order_are_found_out_by_the_token_program(chain: Chain, name: str) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    accounts = list(swap.right.accounts)
    accounts[5], accounts[6] = accounts[6], accounts[5]
    check(swap.send(accounts), 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_user_cannot_pay_from_a_vault_of_the_pool(chain: Chain, name: str) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    paying, vault = ("base", "pool_base_token_account") if name == "sell" else ("quote", "pool_quote_token_account")
    check(swap.send(swap.replaced(f"user_{paying}_token_account", swap.account(vault))), 4)


@pytest.mark.parametrize("name", NAMES)
def test_the_build_of_june_does_not_know_the_second_generation(chain: Chain, name: str) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    state, schedule = swap.market.state, swap.schedule
    quote = {
        "buy": lambda: buy_exact_base(state, schedule, 10**9),
        "buy_exact_quote_in": lambda: buy_exact_quote(state, schedule, 10**6),
        "sell": lambda: sell_exact_base(state, schedule, 10**9),
    }[name]()
    second = swap_instruction(quote, state, schedule, user=swap.user.pubkey(), limit=quote.limit(0), generation=2)
    check(chain.send([second], swap.user), 101)


@pytest.mark.parametrize(
    ("name", "flags", "code"), [("buy", 8, 6020), ("buy_exact_quote_in", 8, 6020), ("sell", 16, 6021)]
)
def test_what_is_switched_off_is_refused_by_both(chain: Chain, name: str, flags: int, code: int) -> None:
    swap = BrokenSwap(chain, name, CANONICAL)
    chain.disable(flags)
    closed = chain.schedule()
    try:
        check(swap.send(), code)
    finally:
        chain.disable(0)
    state = swap.market.state
    quote = sell_exact_base(state, closed, 10**9) if name == "sell" else buy_exact_base(state, closed, 10**9)
    with pytest.raises(TradeRefused) as refusal:
        swap_instruction(quote, state, closed, user=swap.user.pubkey(), limit=quote.limit(0), generation=1)
    assert refusal.value.code == code


# What our quotes refuse is sent by hand, and the program must answer the same. (kind, name, base, quote, size, code)
GRADUATED = (206_900_000_000_000, 84_990_359_057)
AMOUNTS = [
    ("canonical", "buy", *GRADUATED, 0, 6001),
    ("canonical", "buy", *GRADUATED, 206_900_000_000_000, 6025),
    ("canonical", "buy", *GRADUATED, 206_900_000_000_001, 6016),
    ("canonical", "buy", *GRADUATED, 2**64 - 1, 6016),
    ("canonical", "buy_exact_quote_in", *GRADUATED, 0, 6002),
    ("canonical", "buy_exact_quote_in", *GRADUATED, 1, 6039),
    ("canonical", "buy_exact_quote_in", *GRADUATED, 2, 6039),
    ("canonical", "buy_exact_quote_in", *GRADUATED, 3, 6040),
    ("canonical", "buy_exact_quote_in", *GRADUATED, 4, 6040),
    ("permissionless", "buy_exact_quote_in", 10**3, 10**12, 10**6, 6040),
    ("canonical", "sell", *GRADUATED, 0, 6001),
    ("canonical", "sell", *GRADUATED, 3_000, 6023),
    ("permissionless", "sell", *GRADUATED, 3_000, 6023),
    # The cost before fees is beyond 64 bits: it cannot be narrowed; with it inside, the sum with the fees overflows.
    ("canonical", "buy", 2**32 + 1, 2**32, 2**32, 6024),
    ("permissionless", "buy", 2**32 + 1, 2**32, 2**32, 6024),
    ("canonical", "buy", 2**32, 2**32, 2**32 - 1, 6023),
    ("no coin creator", "buy", 2**32, 2**32, 2**32 - 1, 6023),
]


@pytest.mark.parametrize(("kind", "name", "base", "quote", "size", "code"), AMOUNTS)
def test_an_amount_is_refused_by_us_as_by_the_program(
    chain: Chain, kind: str, name: str, base: int, quote: int, size: int, code: int
) -> None:
    (found,) = (one for one in KINDS if one.name == kind)
    trial = Trial(size, chain=chain)
    market = make_market(found, Reserves(base, quote, 10**15), trial.rng)
    market.write(chain)
    outcome, refusal = trial.both_refusals(market, name, size)
    assert isinstance(outcome, Failure)
    assert outcome.code == code
    assert refusal is not None
    assert refusal.code == code


@pytest.mark.parametrize(("name", "code"), [("buy", 6016), ("buy_exact_quote_in", 6025), ("sell", 6025)])
def test_a_pool_without_base_trades_with_neither(chain: Chain, name: str, code: int) -> None:
    trial = Trial(code, chain=chain)
    market = make_market(CANONICAL, Reserves(0, 10**9, 10**15), trial.rng)
    market.write(chain)
    outcome, refusal = trial.both_refusals(market, name, 1_000)
    assert isinstance(outcome, Failure)
    assert outcome.code == code
    assert refusal is not None


def test_a_pool_without_quote_is_refused_by_us_alone(chain: Chain) -> None:
    """The program would give base away for nothing but fees; a price of nothing is no price to quote."""
    trial = Trial(1, chain=chain)
    market = make_market(PoolKind("p", canonical=False, coin_creator=False), Reserves(10**9, 0, 10**15), trial.rng)
    market.write(chain)
    outcome, refusal = trial.both_refusals(market, "buy", 1_000)
    assert isinstance(outcome, Receipt)
    assert refusal is not None
    assert refusal.name == "EmptyPool"
