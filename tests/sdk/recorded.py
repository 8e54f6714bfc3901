"""A node whose histories were written by hand: transactions with the program's own events, without the program."""

from __future__ import annotations

from collections.abc import Sequence

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_EVENT_AUTHORITY, AMM_PROGRAM, TOKEN_2022_PROGRAM
from pumpswap.amm.events import BuyEvent, CreatePoolEvent, SellEvent, encode_event
from pumpswap.amm.events.decode import CPI_PREFIX
from pumpswap.amm.events.event import Event
from pumpswap.chain.node import Commitment, ConfirmedTransaction, RanInstruction, SignatureInfo
from pumpswap.errors import ChainError
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode

SELL = bytes.fromhex("33e685a4017f83ad")


class RecordedNode(LocalNode):
    """A practice node with histories from elsewhere, and methods that fail on demand (by Node's name of them)."""

    def __init__(self, chain: LocalChain) -> None:
        super().__init__(chain, name="recorded")
        self.past: list[tuple[ConfirmedTransaction, tuple[Pubkey, ...]]] = []  # oldest first
        self.failing: dict[str, ChainError] = {}
        self.lost: set[str] = set()
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> object:
        if not name.startswith("_") and name not in ("failing", "past", "lost", "asked"):
            failed = super().__getattribute__("failing").get(name) if "failing" in self.__dict__ else None
            if failed is not None:

                async def fails(*arguments: object, **options: object) -> object:
                    raise failed

                return fails
        return super().__getattribute__(name)

    def add(self, number: int, seconds: int, about: Pubkey, *events: Event) -> str:
        """A transaction that succeeded."""
        calls = [
            RanInstruction(AMM_PROGRAM, (AMM_EVENT_AUTHORITY,), CPI_PREFIX + encode_event(one), 0, 2) for one in events
        ]
        return self._keep(number, seconds, about, calls)

    def add_failed_sell(
        self, number: int, seconds: int, pool: Pubkey, program: Pubkey = TOKEN_2022_PROGRAM, code: int = 17
    ) -> str:
        """A sell that failed in ``program``."""
        calls = [RanInstruction(AMM_PROGRAM, (pool,), SELL + bytes(16), 0, 1)]
        log = (f"Program {program} failed: custom program error: {hex(code)}",)
        return self._keep(number, seconds, pool, calls, {"InstructionError": [0, {"Custom": code}]}, log)

    def _keep(
        self,
        number: int,
        seconds: int,
        about: Pubkey,
        calls: Sequence[RanInstruction],
        err: object = None,
        logs: tuple[str, ...] = (),
    ) -> str:
        signature = f"signature-{number}"
        nothing: tuple[int, ...] = ()
        transaction = ConfirmedTransaction(
            signature, number, seconds, err, 5_000, (about,), nothing, nothing, (), (), tuple(calls), logs, 0
        )
        self.past.append((transaction, (about,)))
        return signature

    async def signatures_for(
        self,
        address: Pubkey,
        *,
        before: str | None = None,
        until: str | None = None,
        limit: int = 1_000,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> tuple[SignatureInfo, ...]:
        self.asked.append(f"history before {before}")
        newest_first = [one for one, about in reversed(self.past) if address in about]
        names = [one.signature for one in newest_first]
        start = names.index(before) + 1 if before is not None else 0
        page = newest_first[start : start + limit]
        return tuple(SignatureInfo(one.signature, one.slot, one.err, one.block_time) for one in page)

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        self.asked.append(signature)
        found = {one.signature: one for one, _ in self.past}
        return None if signature in self.lost else found.get(signature)


def created(state: PoolState, seconds: int) -> CreatePoolEvent:
    """The event of a pool's creation."""
    return CreatePoolEvent(timestamp=seconds, pool=state.address, base_mint=state.pool.base_mint)


def bought(state: PoolState, seconds: int, user: Pubkey, quote: int) -> BuyEvent:
    """A buy; the reserves before it are those of ``state``."""
    return BuyEvent(
        timestamp=seconds,
        pool=state.address,
        user=user,
        base_amount_out=quote * 2,
        user_quote_amount_in=quote,
        quote_amount_in_with_lp_fee=quote,  # no fee is charged, so this is the whole cost
        pool_base_token_reserves=state.base_reserve,
        pool_quote_token_reserves=state.quote_vault,
    )


def sold(state: PoolState, seconds: int, user: Pubkey, quote: int) -> SellEvent:
    """A sale; the reserves before it are those of ``state``."""
    return SellEvent(
        timestamp=seconds,
        pool=state.address,
        user=user,
        base_amount_in=quote * 2,
        user_quote_amount_out=quote,
        pool_base_token_reserves=state.base_reserve,
        pool_quote_token_reserves=state.quote_vault,
    )
