"""Episodes of random trades on the real program, counted; a disagreement is a text that reproduces it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair

from pumpswap.amm import (
    BuyQuote,
    FeeSchedule,
    PoolState,
    Quote,
    SellQuote,
    buy_exact_base,
    buy_exact_quote,
    sell_exact_base,
    sell_exact_quote,
    swap_instruction,
)
from pumpswap.errors import TradeRefused
from pumpswap.localnet.pool_kinds import KINDS, PoolKind
from tests.svm.chain import NOW, Chain, Failure, Receipt
from tests.svm.market import Market, make_market
from tests.svm.raw_swap import full_tail, raw_swap, swap_data
from tests.svm.trade_accounts import Balances, TradeAccounts
from tests.svm.trade_check import (
    balance_differences,
    event_differences,
    expected_balances,
    expected_event,
    pool_after,
    pool_differences,
)
from tests.svm.trade_draw import U64_MAX, USER_BASE, USER_QUOTE, Action, Order, draw_order, draw_setting

# Five accounts made on the fly and unlucky address derivations together stay below this.
COMPUTE_LIMIT = 400_000
USER_LAMPORTS = 10**12
INSUFFICIENT_FUNDS = 1  # of the token programs
USERS = 16

_QUOTES: dict[Action, Callable[[PoolState, FeeSchedule, int], Quote]] = {
    Action.BUY_BASE: buy_exact_base,
    Action.BUY_QUOTE: buy_exact_quote,
    Action.SELL_BASE: sell_exact_base,
    Action.SELL_QUOTE: sell_exact_quote,
}


@dataclass
class Tally:
    """What happened. ``accepted`` counts by (pool kind, action), the rest by what its name says."""

    accepted: Counter[tuple[str, Action]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    one_unit_too_tight: int = 0
    created: Counter[str] = field(default_factory=Counter)
    account_lengths: Counter[int] = field(default_factory=Counter)
    base_programs: Counter[str] = field(default_factory=Counter)
    rates: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    episodes: int = 0
    most_compute_units: int = 0
    disagreements: list[str] = field(default_factory=list)

    @property
    def trades(self) -> int:
        """Accepted trades, every one of them with all its figures checked."""
        return sum(self.accepted.values())


class Trial:
    """Random episodes on one chain, from one seed."""

    def __init__(self, seed: int, *, chain: Chain | None = None, kinds: tuple[PoolKind, ...] = KINDS) -> None:
        self.seed, self.rng = seed, random.Random(seed)
        self.chain = chain or Chain()
        self.schedule = self.chain.schedule()
        self.kinds = kinds
        self.users = [Keypair.from_seed(self.rng.randbytes(32)) for _ in range(USERS)]
        self.tally = Tally()

    def run(self, trades: int, *, progress: Callable[[int], None] = lambda done: None) -> Tally:
        """Episodes, kind after kind, until ``trades`` have been accepted. Stops early at ten disagreements."""
        while self.tally.trades < trades and len(self.tally.disagreements) < 10:
            self.episode(self.kinds[self.tally.episodes % len(self.kinds)])
            progress(min(self.tally.trades, trades))
        return self.tally

    def both_refusals(self, market: Market, name: str, size: int) -> tuple[Receipt | Failure, TradeRefused | None]:
        """(the program's answer to a hand-made instruction, our own refusal) for one amount."""
        order = Order(Action(name), size, 0, False, frozenset())
        trade = _Trade(self, market, self.users[0], order, 0, 0)
        trade.prepare()
        try:
            _QUOTES[order.action](market.state, self.schedule, size)
        except TradeRefused as refusal:
            return trade.by_hand(), refusal
        return trade.by_hand(), None

    def episode(self, kind: PoolKind) -> None:
        """A new pool, and several trades in a row: each is quoted on our own state, never on one read back."""
        setting = draw_setting(kind, self.schedule, self.rng)
        market = make_market(
            kind, setting.reserves, self.rng, base_program=setting.base_program, account_len=setting.account_len
        )
        market.write(self.chain)
        self.tally.episodes += 1
        self.tally.account_lengths[setting.account_len] += 1
        for _ in range(setting.trades):
            order = draw_order(market.state, self.rng)
            user = self.rng.choice(self.users)
            trade = _Trade(self, market, user, order, setting.recipient_index, setting.buyback_index)
            case = f"seed {self.seed}, episode {self.tally.episodes}: {_case(kind, order, market.state)}"
            try:
                differences = list(trade.run())
            except Exception as broken:  # whatever it is, the case that led to it must not be lost
                differences = [f"{type(broken).__name__}: {broken}"]
            if differences:
                self.tally.disagreements.append(f"{case}: {'; '.join(differences)}")
                return


class _Trade:
    def __init__(
        self, trial: Trial, market: Market, user: Keypair, order: Order, recipient_index: int, buyback_index: int
    ) -> None:
        self.chain, self.schedule, self.tally, self.rng = trial.chain, trial.schedule, trial.tally, trial.rng
        self.market, self.user, self.order = market, user, order
        self.recipient_index, self.buyback_index = recipient_index, buyback_index
        config, pool = self.schedule.global_config, market.pool
        recipient = config.protocol_recipients(is_mayhem_mode=pool.is_mayhem_mode)[recipient_index]
        wallet = config.buyback_fee_recipients[buyback_index]
        self.who = TradeAccounts.of(market.state, user.pubkey(), recipient, wallet)

    def prepare(self) -> None:
        """The trader with full pockets; fee accounts empty or missing."""
        state = self.market.state
        self.who.write_user(self.chain, state, base=USER_BASE, quote=USER_QUOTE, lamports=USER_LAMPORTS)
        self.who.write_fee_accounts(self.chain, state, missing=self.order.missing)

    def run(self) -> Iterator[str]:
        """Executes the order and yields every difference between the chain and our figures."""
        state = self.market.state
        self.prepare()
        try:
            quote = _QUOTES[self.order.action](state, self.schedule, self.order.size)
        except TradeRefused as refusal:
            yield from self._refused_alike(refusal)
            return
        if isinstance(quote, SellQuote) and quote.user_quote_out == 0:
            yield from self._worthless(quote)
            return
        yield from self._smallest(quote)
        if self.rng.random() < 0.2:
            yield from self._too_tight(quote)
        limit = quote.limit(self.order.slippage_bps)
        before, circle = self.who.balances(self.chain, state), self.who.lamports(self.chain, state)
        outcome = self._send(self._instruction(quote, limit))
        if isinstance(outcome, Failure):
            yield from self._only_for_lack_of_funds(quote, outcome)
            return
        yield from self._same(quote, limit, before, circle, outcome)
        self._count(quote, before, outcome)
        after = state.after(quote, generation=1)
        self.market.state = msgspec.structs.replace(after, pool=pool_after(after.pool))

    def _instruction(self, quote: Quote, limit: int) -> Instruction:
        return swap_instruction(
            quote,
            self.market.state,
            self.schedule,
            user=self.user.pubkey(),
            limit=limit,
            generation=1,
            recipient_index=self.recipient_index,
            buyback_index=self.buyback_index,
            track_volume=self.order.track_volume,
        )

    def _send(self, instruction: Instruction) -> Receipt | Failure:
        return self.chain.send([set_compute_unit_limit(COMPUTE_LIMIT), instruction], self.user)

    def _same(self, quote: Quote, limit: int, before: Balances, circle: int, receipt: Receipt) -> Iterator[str]:
        chain, state, who = self.chain, self.market.state, self.who
        yield from balance_differences(expected_balances(chain, state, quote, before), who.balances(chain, state))
        account = chain.account(state.address)
        after = state.after(quote, generation=1).pool
        yield from pool_differences(state.pool, after, bytes(account.data) if account else b"")
        fields = expected_event(state, quote, who, before, limit=limit, track_volume=self.order.track_volume, now=NOW)
        yield from event_differences(receipt, fields)
        lost = circle - who.lamports(chain, state)
        if lost != receipt.fee:
            yield f"{lost} lamports left the accounts of the trade, the network fee is {receipt.fee}"
        for address in who.unbacked(chain, state):
            yield f"wrapped-SOL account {address} is not backed by its lamports"

    def _count(self, quote: Quote, before: Balances, receipt: Receipt) -> None:
        tally, state = self.tally, self.market.state
        tally.accepted[self.market.kind.name, self.order.action] += 1
        tally.created.update(before.missing - self.who.balances(self.chain, state).missing)
        tally.base_programs[str(state.base_token_program)] += 1
        tally.rates[quote.lp_bps, quote.protocol_bps, quote.creator_bps] += 1
        tally.most_compute_units = max(tally.most_compute_units, receipt.compute_units)

    def _too_tight(self, quote: Quote) -> Iterator[str]:
        """The quote is exact: a limit one unit better than it is rejected, and nothing moves."""
        exact = quote.limit(0)
        by_base = isinstance(quote, BuyQuote) and quote.spendable_quote is None
        limit = exact - 1 if by_base else exact + 1
        if not 0 < limit <= U64_MAX:
            return
        before = self.who.balances(self.chain, self.market.state)
        outcome = self._send(self._instruction(quote, limit))
        code = 6040 if isinstance(quote, BuyQuote) and not by_base else 6004
        if not isinstance(outcome, Failure) or outcome.code != code:
            yield f"limit {limit} one unit beyond the quote: expected {code}, got {_told(outcome)}"
        spent = before._replace(user_lamports=before.user_lamports - outcome.fee)
        yield from balance_differences(spent, self.who.balances(self.chain, self.market.state))
        self.tally.one_unit_too_tight += 1

    def _only_for_lack_of_funds(self, quote: Quote, failure: Failure) -> Iterator[str]:
        short = isinstance(quote, BuyQuote) and quote.total_quote > USER_QUOTE
        short |= isinstance(quote, SellQuote) and quote.base_in > USER_BASE
        if not short or failure.code != INSUFFICIENT_FUNDS:
            yield f"rejected: {_told(failure)} although the quote is {quote}"
        self.tally.refused["1 insufficient funds"] += 1

    def _worthless(self, quote: SellQuote) -> Iterator[str]:
        """A sale that pays nothing is not built by us; sent by hand it is rejected as soon as it wants one unit."""
        try:
            self._instruction(quote, 1)
            yield "a sale that pays nothing was built"
        except TradeRefused:
            pass
        outcome = self._sent_raw("sell", quote.base_in, 1)
        if not isinstance(outcome, Failure) or outcome.code != 6004:
            yield f"a sale that pays nothing, least quote 1: expected 6004, got {_told(outcome)}"
        self.tally.refused["sale that pays nothing"] += 1

    def _refused_alike(self, refusal: TradeRefused) -> Iterator[str]:
        """What our quotes refuse, the program rejects with the same code."""
        self.tally.refused[f"{refusal.code} {refusal.name}"] += 1
        if self.order.action is Action.SELL_QUOTE:
            yield from self._beyond_the_pool(refusal)
            return
        outcome = self.by_hand()
        if not isinstance(outcome, Failure) or outcome.code != refusal.code:
            yield f"we refuse with {refusal.code} {refusal.name}, the program answers {_told(outcome)}"

    def _beyond_the_pool(self, refusal: TradeRefused) -> Iterator[str]:
        """No instruction sells for an amount of quote, so the refusal is ours: not even the largest sale pays that."""
        if refusal.code != 6063:
            return
        try:
            largest = sell_exact_base(self.market.state, self.schedule, U64_MAX)
        except TradeRefused:
            return  # not even its own fees
        if largest.user_quote_out >= self.order.size:
            yield f"{self.order.size} quote are refused, but a sale can pay {largest.user_quote_out}"

    def _smallest(self, quote: Quote) -> Iterator[str]:
        """A sale for an amount of quote pays it, and one base unit less would not."""
        if not isinstance(quote, SellQuote) or quote.requested_quote is None:
            return
        if quote.user_quote_out < quote.requested_quote:
            yield f"{quote.requested_quote} quote asked for, the sale pays {quote.user_quote_out}"
        if quote.base_in > 1:
            try:
                less = sell_exact_base(self.market.state, self.schedule, quote.base_in - 1)
            except TradeRefused:
                return
            if less.user_quote_out >= quote.requested_quote:
                yield f"{quote.base_in} base sold for {quote.requested_quote} quote, one unit less pays it too"

    def by_hand(self) -> Receipt | Failure:
        """The order as a hand-made instruction with the widest limit there is."""
        widest = {Action.BUY_BASE: U64_MAX, Action.BUY_QUOTE: 1, Action.SELL_BASE: 0}
        return self._sent_raw(self.order.action.value, self.order.size, widest[self.order.action])

    def _sent_raw(self, name: str, first: int, second: int) -> Receipt | Failure:
        state = self.market.state
        charges = state.base_reserve > 0 and self.schedule.rates(state)[2] > 0
        tail = full_tail(name, state, self.who, charges_creator=charges)
        return self._send(raw_swap(name, swap_data(name, first, second), state, self.who, tail))


def _told(outcome: Receipt | Failure) -> str:
    return f"{outcome.code} {outcome.name}" if isinstance(outcome, Failure) else "accepted"


def _case(kind: PoolKind, order: Order, state: PoolState) -> str:
    reserves = f"base {state.base_reserve}, quote {state.quote_vault}, supply {state.base_supply}"
    limits = f"slippage {order.slippage_bps} bps, missing {sorted(order.missing)}"
    return (
        f"{kind.name} pool of {state.pool.account_len} bytes ({reserves}), {order.action.value} {order.size} ({limits})"
    )
