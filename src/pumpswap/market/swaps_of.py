"""Swaps of a transaction, normalised over all generations of events and instructions (PROTOCOL 5.1 and 5.2).

The calls of the program to itself are preferred; logs are read where there is nothing else, never both.
"""

from __future__ import annotations

from functools import lru_cache

from solders.pubkey import Pubkey

from pumpswap.amm.codec import ZERO_KEY, Record
from pumpswap.amm.events import (
    AdminCtoPoolEvent,
    AdminSetCoinCreatorEvent,
    AdminSetCoinCreatorFeeEditableEvent,
    BoostBuyAndBurnEvent,
    BuyEvent,
    CreatePoolEvent,
    DepositEvent,
    EmittedEvent,
    Event,
    EventSource,
    ExtendAccountEvent,
    InitBoostEvent,
    Instruction,
    MigratePoolCoinCreatorEvent,
    SellEvent,
    SetBondingCurveCoinCreatorEvent,
    SetCoinCreatorFeeBpsEvent,
    SetMetaplexCoinCreatorEvent,
    SweepPoolFeeEvent,
    TransactionEvents,
    WithdrawEvent,
    events_from_logs,
    events_of_transaction,
)
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.chain.node import ConfirmedTransaction
from pumpswap.chain.streams import LogsSeen
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.model import SeenAct, Swap

__all__ = [
    "Normalised",
    "Reserves",
    "generation_of",
    "in_order",
    "normalise",
    "normalise_logs",
    "normalise_parts",
    "reserves_after",
    "swaps_of",
]

# Payload lengths without the discriminator, by the history in PROTOCOL 5.2. From its second list on a BuyEvent holds
# a text and is longer by its length.
_BUYS = frozenset({304, 352, 393})
_NAMED_BUYS = frozenset({397, 413, 429, 454, 470, 478})
_SELLS = frozenset({304, 352, 368, 384, 409, 425, 433})
_DISCRIMINATOR = 8
_CPI_HEAD = 16
_DATA = "Program data: "
_CUT = "Log truncated"


class Normalised(Record, frozen=True):
    """The swaps of one transaction in order of execution, and what else was found: a stream counts and shows it.

    ``burns``: purchases of the boost authority, which are nobody's volume; they count in ``Swap.index``.
    ``unknown_lengths``: swaps whose event has a length that this version has never seen. They are among ``swaps``: the
    known fields come first; but the program has changed, so look before trading on.
    ``acts``: what else happened to pools. ``in_order`` puts both into the order of execution.
    The rest is that of ``TransactionEvents``.
    """

    swaps: tuple[Swap, ...]
    source: EventSource
    failed: bool = False
    truncated: bool = False
    malformed: int = 0
    unknown: int = 0
    unattributed: int = 0
    unknown_lengths: int = 0
    burns: int = 0
    acts: tuple[SeenAct, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether swaps may be missing here that the transaction itself would show."""
        if self.source is not EventSource.LOGS or self.failed:
            return False
        return bool(self.truncated or self.malformed or self.unattributed)


class Reserves(Record, frozen=True):
    """Balances of a pool's vaults and its signed virtual reserves, raw units."""

    base_reserve: int
    quote_vault: int
    virtual_quote_reserves: int


_NOTHING = Normalised((), EventSource.LOGS)
_FAILED = Normalised((), EventSource.LOGS, failed=True)


def swaps_of(transaction: ConfirmedTransaction) -> tuple[Swap, ...]:
    """The swaps of a confirmed transaction; none when it failed."""
    return normalise(transaction).swaps


def normalise(transaction: ConfirmedTransaction) -> Normalised:
    """The swaps of a confirmed transaction, and what could not be read."""
    if transaction.err is not None:
        return _FAILED
    # A swap always calls the token programs: a transaction without inner calls was recorded without them, or is none.
    calls: list[Instruction] | None = None
    if any(one.height > 1 for one in transaction.instructions):
        calls = [(one.program, one.accounts, one.data) for one in transaction.instructions]
    return normalise_parts(transaction.signature, transaction.slot, transaction.logs, calls)


def normalise_logs(seen: LogsSeen) -> Normalised:
    """The swaps of a logs notification. When ``is_partial`` says so, ask for the transaction."""
    if seen.err is not None:
        return _FAILED
    if not any(line.startswith(_DATA) or line == _CUT for line in seen.logs):
        return _NOTHING
    found = events_from_logs(seen.logs)
    return _normalised(seen.signature, seen.slot, found, _LogLengths(seen.logs))


def normalise_parts(signature: str, slot: int, logs: tuple[str, ...], calls: list[Instruction] | None) -> Normalised:
    """The swaps of a successful transaction; ``calls`` are its instructions, None when they were not recorded."""
    if calls is None:
        return normalise_logs(LogsSeen(slot, signature, None, logs))
    found = events_of_transaction(logs, calls)
    return _normalised(signature, slot, found, _CallLengths(calls))


def in_order(found: Normalised) -> tuple[Swap | SeenAct, ...]:
    """Swaps and other acts of a transaction in order of execution."""
    if not found.acts:
        return found.swaps
    both: list[tuple[tuple[int, int, int], Swap | SeenAct]] = [((one.index, 1, 0), one) for one in found.swaps]
    both += [((one.trades_before, 0, one.index), one) for one in found.acts]
    return tuple(one for _, one in sorted(both, key=lambda pair: pair[0]))


def generation_of(event: BuyEvent | SellEvent) -> int:
    """1 or 2: whether the protocol and creator fees left the quote vault or stay there (PROTOCOL 4.9). Every generation
    2 trade, a hop of ``multi_hop_swap`` too, reports the zero key as recipient.
    """
    return 2 if event.protocol_fee_recipient == ZERO_KEY else 1


def reserves_after(swap: Swap) -> Reserves:
    """What a pool held right after a swap, from its event (PROTOCOL 4.9).

    Raises UsageError for a swap of a source that does not tell events.
    """
    event = swap.event
    if event is None:
        raise UsageError("this swap carries no event", hint="only swaps that were seen on chain tell reserves")
    kept = 0
    if generation_of(event) == 2:
        kept = event.protocol_fee - event.buyback_fee + event.coin_creator_fee
    if isinstance(event, BuyEvent):
        base = event.pool_base_token_reserves - event.base_amount_out
        vault = event.pool_quote_token_reserves + event.gross_quote + event.lp_fee + kept
    else:
        base = event.pool_base_token_reserves + event.base_amount_in
        vault = event.pool_quote_token_reserves - (event.gross_quote - event.lp_fee) + kept
    return Reserves(base, vault, event.virtual_quote_reserves - kept)


class _LogLengths:
    """Payload lengths of events in log lines, without decoding them again."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines

    def of(self, emitted: EmittedEvent) -> int:
        text = self._lines[emitted.position]
        return (len(text) - len(_DATA)) // 4 * 3 - text.count("=", -2) - _DISCRIMINATOR


class _CallLengths:
    """Payload lengths of events in calls."""

    def __init__(self, calls: list[Instruction]) -> None:
        self._calls = calls

    def of(self, emitted: EmittedEvent) -> int:
        return len(self._calls[emitted.position][2]) - _CPI_HEAD


def _normalised(signature: str, slot: int, found: TransactionEvents, lengths: _LogLengths | _CallLengths) -> Normalised:
    swaps: list[Swap] = []
    acts: list[SeenAct] = []
    index = burns = unknown_lengths = 0
    for emitted in found.events:
        event = emitted.event
        if isinstance(event, BuyEvent):
            is_known = _is_known_buy(event, lengths.of(emitted))
        elif isinstance(event, SellEvent):
            is_known = lengths.of(emitted) in _SELLS
        else:
            if (pool := _pool_of(event)) is not None:
                at_ns = getattr(event, "timestamp", 0) * NS_PER_SECOND
                acts.append(SeenAct(_text(pool), at_ns, slot, signature, len(acts), index, event))
            continue
        unknown_lengths += not is_known
        if isinstance(event, BuyEvent) and event.is_boost_burn:
            burns += 1
        else:
            swaps.append(_swap(event, signature, slot, index))
        index += 1
    return Normalised(
        tuple(swaps),
        found.source,
        failed=found.failed,
        truncated=found.truncated,
        malformed=found.malformed,
        unknown=found.unknown,
        unattributed=found.unattributed,
        unknown_lengths=unknown_lengths,
        burns=burns,
        acts=tuple(acts),
    )


_LEAST_POOL = min(KNOWN_POOL_LENGTHS)
# Everything else that changes pools. A boost also reports its purchase as a trade: that is the same act, told twice.
_ACTS = (
    AdminCtoPoolEvent,
    AdminSetCoinCreatorEvent,
    AdminSetCoinCreatorFeeEditableEvent,
    BoostBuyAndBurnEvent,
    CreatePoolEvent,
    DepositEvent,
    InitBoostEvent,
    MigratePoolCoinCreatorEvent,
    SetBondingCurveCoinCreatorEvent,
    SetCoinCreatorFeeBpsEvent,
    SetMetaplexCoinCreatorEvent,
    SweepPoolFeeEvent,
    WithdrawEvent,
)


def _pool_of(event: Event) -> Pubkey | None:
    """Whose act an event tells; None for one that changes no pool."""
    if isinstance(event, ExtendAccountEvent):
        # Not only pools grow; what keeps a trader's volume is smaller than any pool ever was.
        return event.account if event.current_size >= _LEAST_POOL else None
    return event.pool if isinstance(event, _ACTS) else None


def _is_known_buy(event: BuyEvent, length: int) -> bool:
    return length in _BUYS or length - len(event.ix_name.encode()) in _NAMED_BUYS


def _swap(event: BuyEvent | SellEvent, signature: str, slot: int, index: int) -> Swap:
    if isinstance(event, BuyEvent):
        is_buy, base, quote = True, event.base_amount_out, event.total_quote
    else:
        is_buy, base, quote = False, event.base_amount_in, event.user_quote_amount_out
    return Swap(
        pool=_text(event.pool),
        at_ns=event.timestamp * NS_PER_SECOND,
        is_buy=is_buy,
        base_units=base,
        quote_units=quote,
        trader=_text(event.user),
        signature=signature,
        slot=slot,
        index=index,
        event=event,
    )


@lru_cache(maxsize=65_536)
def _text(key: Pubkey) -> str:
    """Base58 costs more than the rest of a swap, and pools and bots come again and again."""
    return str(key)
