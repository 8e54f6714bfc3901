"""Comparison of a ledger with the chain: what differs, and which transactions of others explain it. Books nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.balances import WalletHoldings, wallet_holdings
from pumpswap.chain.node import Node
from pumpswap.errors import StaleNode
from pumpswap.execution.outside import OutsideHistory
from pumpswap.model import SOL, ForeignEvent, LedgerEntry
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.storage.run import Run

__all__ = ["Comparison", "Compared", "balances_of"]

_LOOKS = 5
_PAUSE_SECONDS = 0.5  # a node lists a transaction a moment after it shows its balances
_RESTARTS = 20
_MOST_SEARCHED = 12
_PROGRAMS = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)


def balances_of(holdings: WalletHoldings) -> dict[str, int]:
    """What the chain says a wallet holds, as the ledger counts it: by asset, without zeros."""
    held = {SOL: holdings.sol_lamports, **holdings.tokens()}
    return {asset: units for asset, units in held.items() if units}


@dataclass(frozen=True, slots=True)
class Compared:
    """``events`` explain; ``left`` is what the wallet has beyond the ledger when they are booked, without zeros."""

    holdings: WalletHoldings
    events: tuple[ForeignEvent, ...]
    left: Mapping[str, int]


class Comparison:
    """Compares the books of one wallet with the chain that ``node`` tells of."""

    def __init__(
        self,
        run: Run,
        portfolio: Portfolio,
        wallet: Pubkey,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._run = run
        self._portfolio = portfolio
        self._wallet = wallet
        self._sleep = sleep

    async def holdings(self, node: Node) -> WalletHoldings:
        """The wallet as it is after everything in the ledger: a node that lags must not make foreign entries."""
        ledger = self._portfolio.ledger
        mints = [WSOL_MINT, *(Pubkey.from_string(asset) for asset in ledger.balances() if asset != SOL)]
        known = [ata(self._wallet, mint, program) for mint in mints for program in _PROGRAMS]
        # Not before the last comparison either: the newest entry may be that of an older slot than an order's.
        least_slot = max(self._ledger_slot(), self._accounted_slot())
        return await wallet_holdings(node, self._wallet, least_slot=least_slot, known=known)

    async def compare(
        self, node: Node, is_heeded: Callable[[str], bool], check_settled: Callable[[], None]
    ) -> Compared:
        """Look until every heeded difference is explained, a few times at most.

        ``check_settled`` raises LedgerMismatch while something of ours is on its way: it would look like somebody
        else's. Raises that, and ChainError when the chain cannot be asked.
        """
        history = OutsideHistory(node, self._wallet, self._known)
        looks, suspects = 0, set[str]()
        for _ in range(_RESTARTS):
            check_settled()
            booked = self._portfolio.ledger.last_sequence
            after_slot = self._accounted_slot()
            holdings = await self.holdings(node)
            suspects.update(self._differences(holdings, ()))
            events = await history.look(self._addresses(holdings, suspects), after_slot, holdings.slot)
            check_settled()
            if self._portfolio.ledger.last_sequence != booked:
                continue  # an order was booked while the chain was asked: these balances are older than the ledger
            looks += 1
            seen = Compared(holdings, events, self._differences(holdings, events))
            found = self._bookable(seen)
            # A second look knows more addresses, also for tokens that nobody would wait for.
            most = _LOOKS if any(is_heeded(asset) for asset in found.left) else 2
            if looks >= most or not found.left:
                return found
            left = {*seen.left, *found.left}  # what came into a token account and was sent on is in the first only
            if looks > 1 and suspects.issuperset(left):
                await self._sleep(_PAUSE_SECONDS)
            suspects.update(left)
        raise StaleNode("orders were booked all the time", hint="compare again when fewer orders are on their way")

    def _differences(self, holdings: WalletHoldings, events: Sequence[ForeignEvent]) -> dict[str, int]:
        left, ours = balances_of(holdings), self._portfolio.ledger.balances()
        for asset, units in ours.items():
            left[asset] = left.get(asset, 0) - units
        for event in events:
            for asset in event.assets:
                left[asset] = left.get(asset, 0) - event.of(asset)
        return {asset: units for asset, units in sorted(left.items()) if units}

    def _bookable(self, found: Compared) -> Compared:
        """The events in an order in which the ledger never spends what is not there.

        That is the chain's order, but where an order of ours is booked already and has sold what had come from outside
        before. Without such an order of events the history has a hole, and explains nothing.
        """
        ordered = _in_possible_order(self._portfolio.ledger.balances(), found.events)
        if ordered is None:
            return Compared(found.holdings, (), self._differences(found.holdings, ()))
        return Compared(found.holdings, ordered, found.left)

    def _addresses(self, holdings: WalletHoldings, differs: Collection[str]) -> set[Pubkey]:
        """A stranger's transfer names the token account, not its owner: look there too when a balance differs."""
        addresses = {self._wallet}
        for asset in differs:
            mint = WSOL_MINT if asset == SOL else Pubkey.from_string(asset)
            addresses.update(account.address for account in holdings.accounts if account.mint == mint)
            addresses.update(ata(self._wallet, mint, program) for program in _PROGRAMS)
        return addresses

    def _known(self, signatures: Sequence[str]) -> Collection[str]:
        return self._run.attempts.known(signatures) | self._run.books.foreign_signatures()

    def _accounted_slot(self) -> int:
        slot = self._run.reconciliations.accounted_slot()
        return self._ledger_slot() if slot is None else slot

    def _ledger_slot(self) -> int:
        entries: list[LedgerEntry] = self._portfolio.ledger.entries
        last = self._run.books.last()
        return max([entry.slot for entry in entries] + [last.slot if last else 0])


def _in_possible_order(held: Mapping[str, int], events: Sequence[ForeignEvent]) -> tuple[ForeignEvent, ...] | None:
    """Always the first that can follow; where that leads nowhere, the first order that does, of a few events."""
    ordered, waiting = list[ForeignEvent](), list(events)
    before = dict(held)
    while waiting:
        event = next((one for one in waiting if _can_follow(before, one)), None)
        if event is None:
            return _searched(held, events) if len(events) <= _MOST_SEARCHED else None
        waiting.remove(event)
        ordered.append(event)
        before = _after(before, event)
    return tuple(ordered)


def _searched(held: Mapping[str, int], events: Sequence[ForeignEvent]) -> tuple[ForeignEvent, ...] | None:
    dead_ends: set[frozenset[int]] = set()  # what is held depends on what is left, not on the order before

    def from_here(held: Mapping[str, int], left: frozenset[int]) -> tuple[ForeignEvent, ...] | None:
        for at in sorted(left):
            rest = left - {at}
            if rest not in dead_ends and _can_follow(held, events[at]):
                found = from_here(_after(held, events[at]), rest)
                if found is not None:
                    return (events[at], *found)
        if left:
            dead_ends.add(left)
            return None
        return ()

    return from_here(held, frozenset(range(len(events))))


def _after(held: Mapping[str, int], event: ForeignEvent) -> dict[str, int]:
    return {**held, **{asset: held.get(asset, 0) + event.of(asset) for asset in event.assets}}


def _can_follow(held: Mapping[str, int], event: ForeignEvent) -> bool:
    return all(held.get(asset, 0) + event.of(asset) >= 0 for asset in event.assets)
