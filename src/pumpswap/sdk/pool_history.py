"""PoolHistory: how long a pool is proven to exist, and its latest trades with the sells that failed.

The history of an address lists every transaction that mentions it, and anybody can mention an address before anything
is there. Age is therefore proven by what the program reported: the pool's creation, or a trade in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.amm.events import CreatePoolEvent, events_of_transaction
from pumpswap.amm.instructions.swap import swap_kind
from pumpswap.chain.failures import Advice, classify
from pumpswap.chain.node import Commitment, ConfirmedTransaction, Node, SignatureInfo
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ChainError, NotFound, UsageError
from pumpswap.market.gap_fill import fetch_transactions
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import PoolAge, SeenSwap, Swap, TradingSeen
from pumpswap.settings import ScreenSettings

__all__ = ["HistoryAsked", "PoolHistory"]

_PAGE = 1_000
_MOST_PAGES = 3
_OLDEST_LINES = 5  # asked for proof of age
_FAILED_LINES = 20  # a pool that bots fight over has thousands; the newest show whether sells fail
_POOL_AT = 0  # of a swap's accounts, in both generations


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    """Whose history, who runs code on its transfers, and now."""

    pool: Pubkey
    at_ns: int
    hook_program: Pubkey | None = None


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of the history, newest first; ``is_whole``: back to the first one that the node has."""

    lines: tuple[SignatureInfo, ...]
    is_whole: bool

    @property
    def succeeded(self) -> list[SignatureInfo]:
        return [line for line in self.lines if line.err is None]

    @property
    def failed(self) -> list[SignatureInfo]:
        return [line for line in self.lines if line.err is not None]


class PoolHistory:
    """Reads the history of pools through a node."""

    def __init__(self, node: Node, settings: ScreenSettings, commitment: Commitment = Commitment.CONFIRMED) -> None:
        self._node, self._settings, self._commitment = node, settings, commitment

    async def read(self, asked: HistoryAsked) -> tuple[PoolAge | None, TradingSeen]:
        """Age, None when nothing proves one, and the latest trades. Raises the node's ChainError."""
        found = await self._lines(asked)
        wanted = found.succeeded[: self._settings.recent_swaps]
        swaps, created_ns = await self._swaps(asked.pool, wanted)
        is_complete = found.is_whole and created_ns is not None and len(wanted) == len(found.succeeded)
        failed = await self._failed_sells(asked, found.failed[:_FAILED_LINES])
        proven = [swap.at_ns for swap in swaps]
        oldest = found.succeeded[len(wanted) :][-_OLDEST_LINES:]
        if oldest and created_ns is None:
            older, created_ns = await self._swaps(asked.pool, oldest)
            proven += [swap.at_ns for swap in older]
        seen = TradingSeen(tuple(seen_swap(swap) for swap in swaps), is_complete, failed)
        if created_ns is not None:
            return PoolAge(created_ns, is_creation=True), seen
        return (PoolAge(min(proven)) if proven else None), seen

    async def _lines(self, asked: HistoryAsked) -> _Lines:
        """Back to a time that is long enough ago, the beginning, or as far as is reasonable."""
        enough_ns = asked.at_ns - self._settings.min_age_seconds * NS_PER_SECOND
        lines: list[SignatureInfo] = []
        for _ in range(_MOST_PAGES):
            before = lines[-1].signature if lines else None
            page = await self._node.signatures_for(asked.pool, before=before, limit=_PAGE, commitment=self._commitment)
            lines += page
            if len(page) < _PAGE:
                return _Lines(tuple(lines), is_whole=True)
            told = page[-1].block_time
            if told is not None and told * NS_PER_SECOND <= enough_ns:
                break
        return _Lines(tuple(lines), is_whole=False)

    async def _swaps(self, pool: Pubkey, lines: Sequence[SignatureInfo]) -> tuple[list[Swap], int | None]:
        """Trades in the pool, oldest first, and when it was made if that is among these lines."""
        swaps: list[Swap] = []
        created_ns = None
        for transaction in await self._transactions([line.signature for line in reversed(lines)]):
            swaps += [swap for swap in swaps_of(transaction) if swap.pool == str(pool)]
            created_ns = _creation_ns(transaction, pool) or created_ns
        return swaps, created_ns

    async def _failed_sells(self, asked: HistoryAsked, lines: Sequence[SignatureInfo]) -> int:
        """Sells that failed in the AMM, in a token program or in the token's own hook, but not on their price limit."""
        transactions = await self._transactions([line.signature for line in lines])
        return sum(_is_refused_sell(each, asked) for each in transactions)

    async def _transactions(self, signatures: Sequence[str]) -> list[ConfirmedTransaction]:
        """Raises NotFound or ChainError when any is missing: trades with a hole prove nothing."""
        found: list[ConfirmedTransaction] = []
        answers = await fetch_transactions(self._node, signatures, self._commitment)
        for signature, answer in zip(signatures, answers, strict=True):
            if isinstance(answer, ChainError):
                raise answer
            if answer is None:
                raise NotFound(f"the node lists {signature} and does not have it", hint="ask another endpoint")
            found.append(answer)
        return found


def seen_swap(swap: Swap) -> SeenSwap:
    """A trade as a screen looks at it."""
    event = swap.event
    base = quote = None
    if event is not None:
        base = event.pool_base_token_reserves
        quote = event.effective_quote_reserve
    return SeenSwap(swap.at_ns, swap.is_buy, swap.base_units, swap.quote_units, swap.trader, base, quote)


def _creation_ns(transaction: ConfirmedTransaction, pool: Pubkey) -> int | None:
    calls = [(one.program, one.accounts, one.data) for one in transaction.instructions]
    for emitted in events_of_transaction(transaction.logs, calls).events:
        if isinstance(emitted.event, CreatePoolEvent) and emitted.event.pool == pool:
            return emitted.event.timestamp * NS_PER_SECOND
    return None


def _is_refused_sell(transaction: ConfirmedTransaction, asked: HistoryAsked) -> bool:
    calls = (one for one in transaction.instructions if one.program == AMM_PROGRAM)
    if transaction.err is None or not any(_is_sell(one.data, one.accounts, asked.pool) for one in calls):
        return False
    failure = classify(transaction.err, transaction.logs)
    if failure.advice is Advice.REBUILD or failure.is_lack_of_funds:
        return False
    return failure.program is not None and failure.program in (
        AMM_PROGRAM,
        TOKEN_PROGRAM,
        TOKEN_2022_PROGRAM,
        asked.hook_program,
    )


def _is_sell(data: bytes, accounts: Sequence[Pubkey], pool: Pubkey) -> bool:
    try:
        return not swap_kind(data).is_buy and accounts[_POOL_AT] == pool
    except (UsageError, IndexError):
        return False
