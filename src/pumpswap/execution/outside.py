"""What others have done with a wallet: its history on the chain, without our own transactions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from solders.pubkey import Pubkey

from pumpswap.chain.node import ConfirmedTransaction, Node, SignatureInfo
from pumpswap.errors import ChainError, EndpointDown
from pumpswap.market.gap_fill import PAGE, fetch_transactions, merged
from pumpswap.model import ForeignEvent
from pumpswap.portfolio.foreign_event import foreign_event

__all__ = ["OutsideHistory"]

_Known = Callable[[Sequence[str]], Collection[str]]


class OutsideHistory:
    """Transactions that have touched a wallet and are not ``known``, each fetched once over several looks."""

    def __init__(self, node: Node, wallet: Pubkey, known: _Known) -> None:
        self._node = node
        self._wallet = wallet
        self._known = known
        self._lines: dict[Pubkey, tuple[SignatureInfo, ...]] = {}
        self._events: dict[str, ForeignEvent | None] = {}
        self._accounts: set[Pubkey] = set()  # of the wallet, as the transactions tell: they may be closed since

    async def look(self, addresses: Collection[Pubkey], after_slot: int, slot: int) -> tuple[ForeignEvent, ...]:
        """What the histories of ``addresses`` hold after ``after_slot`` and up to ``slot``, in the chain's order.

        A node's list may lag behind its accounts, so another look may find more; addresses of earlier looks are looked
        at again, and the wallet's token accounts in what they have found. Raises ChainError when an endpoint fails: a
        history with a hole explains nothing.
        """
        # Sorted: in a slot that no page orders, the order of the pages is that of the ledger.
        for address in sorted({*self._lines, *self._accounts, *addresses}, key=bytes):
            self._lines[address] = await self._lines_of(address, after_slot)
        lines = [one for one in merged(list(self._lines.values())) if after_slot < one.slot <= slot]
        ours = self._known([one.signature for one in lines])
        foreign = [one.signature for one in lines if one.signature not in ours]
        await self._fetch([one for one in foreign if one not in self._events])
        return tuple(event for one in foreign if (event := self._events[one]) is not None)

    async def _lines_of(self, address: Pubkey, after_slot: int) -> tuple[SignatureInfo, ...]:
        """From old to new. By slots, not by a known signature: a fork may have taken that away."""
        newest_first: list[SignatureInfo] = []
        before: str | None = None
        while True:
            page = await self._node.signatures_for(address, before=before, limit=PAGE)
            newest_first += page
            if len(page) < PAGE or page[-1].slot <= after_slot:
                return tuple(reversed(newest_first))
            if page[-1].signature == before:
                raise EndpointDown("a node repeats a page of an address's history", hint="use another endpoint")
            before = page[-1].signature

    async def _fetch(self, signatures: Sequence[str]) -> None:
        for signature, found in zip(signatures, await fetch_transactions(self._node, signatures), strict=True):
            if isinstance(found, ChainError):
                raise found
            if isinstance(found, ConfirmedTransaction):
                self._events[signature] = foreign_event(found, self._wallet)
                balances = (*found.pre_tokens, *found.post_tokens)
                self._accounts.update(found.keys[one.index] for one in balances if one.owner == self._wallet)
            else:
                raise EndpointDown(
                    f"{self._node.name} lists transaction {signature} and does not have it",
                    hint="try again, or use an endpoint that keeps its history",
                )
