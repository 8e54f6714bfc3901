"""TradingWallet: one unlocked wallet on one chain, with its lock, books, sender and venue: whoever trades opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from random import Random, SystemRandom
from typing import Protocol

from pumpswap.chain.blockhash import BlockhashCache
from pumpswap.chain.generation import GenerationProbe
from pumpswap.chain.jito import JitoLane
from pumpswap.chain.lanes import Lane, RpcLane
from pumpswap.chain.sender import Sender, SenderParts
from pumpswap.chain.signing import Signer
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError, KeyLocked, LedgerMismatch, PumpSwapError, StorageError
from pumpswap.execution.chain_venue import ChainVenue, ChainVenueParts
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.pool_source import ChainPools
from pumpswap.model import Decision, Order, Outcome, Reconciliation, TradeSide, TradingState, Verdict
from pumpswap.sdk.confirmations import Confirmations
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.machine_lock import MachineLock
from pumpswap.sdk.upkeep import Upkeep
from pumpswap.sdk.wallet_lock import WalletLock
from pumpswap.settings import SendingSettings, Settings
from pumpswap.storage.claim import Claim
from pumpswap.storage.database import Database, open_database
from pumpswap.units import format_sol
from pumpswap.wallet.limits import WalletLimits

__all__ = ["LimitedSigner", "TradingWallet"]

_DAY_NS = 86_400 * NS_PER_SECOND


class LimitedSigner(Signer, Protocol):
    """A signer that knows the limits of its wallet; None means that none were configured."""

    @property
    def limits(self) -> WalletLimits | None: ...


class TradingWallet:
    """Made by ``open``; ``aclose`` it.

    ``left`` are orders that earlier processes had not finished, ``resolved`` what became of those whose fate is known
    now, ``unread`` why others cannot be read. ``reconciliation`` is what the comparison of books and wallet has found
    since, None while it cannot be made: show both. ``alerts_before`` is the newest alert of before: opening tells too.
    """

    def __init__(self, connection: ChainConnection, signer: LimitedSigner, database: Database) -> None:
        self.connection = connection
        self.signer = signer
        self.database = database
        self.left: Sequence[Order] = ()
        self.resolved: Sequence[tuple[Order, Outcome]] = ()
        self.unread: dict[str, PumpSwapError] = {}
        self.reconciliation: Reconciliation | None = None
        self.alerts_before = 0
        self.lanes: tuple[Lane, ...] = ()
        self.held_back: Callable[[Order], str] = lambda _: ""  # the risk of whoever trades: ``risk.signing.held_back``
        self._lock = WalletLock(connection.settings.data_dir / "locks", signer.public_key)
        self._machine_lock: MachineLock | None = None
        self._books: LiveBooks | None = None
        self._venue: ChainVenue | None = None
        self._upkeep: Upkeep | None = None
        self._confirmations: Confirmations | None = None
        self._claim: Claim | None = None

    @classmethod
    async def open(
        cls,
        connection: ChainConnection,
        signer: LimitedSigner,
        rng: Random | None = None,
        *,
        is_patient: bool = True,
    ) -> TradingWallet:
        """Take the wallet's lock, open its books, and resolve what earlier processes left open, before anything else:
        impatiently with one look, for whoever follows the rest himself while other positions are looked after.

        Raises KeyLocked for a wallet without limits, StorageError when another process trades with it, ConfigError
        when the configured public key is another one, ChainError when the endpoints cannot be asked.
        """
        check_signer(connection.settings, signer)
        wallet = cls(connection, signer, open_database(connection.settings.database_target))
        try:
            await wallet._start(rng or SystemRandom(), is_patient)
        except BaseException:
            await wallet.aclose()
            raise
        return wallet

    async def aclose(self) -> None:
        """Close the books and let the wallet go. Orders on their way stay stored and are resolved at the next start."""
        # In reverse; one that fails does not keep the others open.
        async with AsyncExitStack() as closing:
            closing.callback(self._lock.release)
            if self._machine_lock is not None:
                closing.callback(self._machine_lock.release)
            closing.callback(self.database.close)
            if self._claim is not None:
                closing.callback(self._claim.release)
            for lane in self.lanes:
                if isinstance(lane, JitoLane):
                    closing.push_async_callback(lane.aclose)
            if self._confirmations is not None:
                closing.push_async_callback(self._confirmations.aclose)

    @property
    def books(self) -> LiveBooks:
        """Ledger, positions and orders of the wallet."""
        assert self._books is not None, "made by open"
        return self._books

    @property
    def venue(self) -> ChainVenue:
        """Where orders are executed."""
        assert self._venue is not None, "made by open"
        return self._venue

    @property
    def upkeep(self) -> Upkeep:
        """Wrapping, unwrapping, closing empty accounts."""
        assert self._upkeep is not None, "made by open"
        return self._upkeep

    # ------------------------------------------------------------------------------------------ books and chain

    async def reconcile(self) -> Reconciliation | None:
        """Settle what is open, then compare books and wallet; None while something of ours is still on its way.

        Raises what ``LiveBooks.reconcile`` raises.
        """
        await self.venue.resolve_open()
        await self.upkeep.resolve_open()
        if self.is_something_open():
            return None
        try:
            self.reconciliation = await self.books.reconcile(self.connection.node)
        except LedgerMismatch:
            if self.is_something_open():  # an order has come in between
                return None
            raise
        return self.reconciliation

    def claim_obstacle(self) -> str:
        """Why it is not sure that nobody else writes these books; empty: nobody does."""
        if self._claim is None or self._claim.is_held():
            return ""
        return "the claim on the books is lost: another machine may trade with this wallet"

    def is_something_open(self) -> bool:
        """Whether an order or a chore has no final outcome."""
        return bool(self.books.unresolved() or self.books.run.chores.unresolved())

    # ------------------------------------------------------------------------------------------ limits

    def verdicts(self, decision: Decision, waiting: Iterable[Order]) -> Sequence[Verdict]:
        """What the limits that were sealed with the key say to a buy. Exits pass: staying in is no protection.

        ``waiting`` are the orders on their way.
        """
        limits = self.signer.limits
        if decision.intent.side is TradeSide.SELL or limits is None:
            return ()
        asked, spent = decision.quote_lamports, self.spent_today(waiting)
        left = self.books.portfolio.cash - asked
        return (
            _limit("wallet: per order", asked, limits.max_order_lamports),
            _limit("wallet: per day", spent + asked, limits.max_day_lamports),
            Verdict(
                "wallet: reserve",
                left >= limits.min_reserve_lamports,
                f"{format_sol(left)} SOL would stay, at least {format_sol(limits.min_reserve_lamports)}",
                {"left_lamports": str(left), "min_reserve_lamports": str(limits.min_reserve_lamports)},
            ),
        )

    def spent_today(self, waiting: Iterable[Order]) -> int:
        """Lamports that buys of the last 24 hours have cost, fees in, and that those on their way may still cost."""
        asked = sum(order.quote_lamports for order in waiting if order.side is TradeSide.BUY)
        return self.books.spent_since(self.connection.clock.now_ns() - _DAY_NS) + asked

    # ------------------------------------------------------------------------------------------ opening

    async def _start(self, rng: Random, is_patient: bool) -> None:
        self.alerts_before = self.database.alerts.newest_number()
        self._lock.take()
        connection, settings = self.connection, self.connection.settings
        node, clock, wallet = connection.node, connection.clock, self.signer.public_key
        network = await node.genesis_hash()
        self._machine_lock = MachineLock(wallet, network)
        self._machine_lock.take()
        self._claim = self.database.claim(f"wallet {wallet} on {network}")
        self._books = await LiveBooks.open(self.database, node, wallet, clock, settings.to_store())
        self.lanes = _lanes(connection, settings.sending)
        self._confirmations = Confirmations(connection, rng)
        sender = Sender(
            SenderParts(
                pool=node,
                lanes=self.lanes,
                store=self._books.run.attempts,
                signer=self.signer,
                # At most a slot old: the whole life of a hash is time to land, and no two orders share their bytes.
                blockhashes=BlockhashCache(node, clock, max_age_ms=400),
                clock=clock,
                settings=settings.sending,
                wake=self._confirmations.wake,
            )
        )
        self._upkeep = Upkeep(connection, sender, self._books, wallet)
        self._venue = ChainVenue(
            ChainVenueParts(
                node=node,
                sender=sender,
                pools=ChainPools(node, connection.schedules),
                books=self._books,
                generations=GenerationProbe(node, wallet, file=settings.data_dir / "generations.json"),
                wallet=wallet,
                network=network,
                clock=clock,
                settings=settings,
                rng=rng,
                lanes=self.lanes,
                limits=self.signer.limits,
                held_back=self._held_back,
            )
        )
        self.left = self._books.unresolved()
        self.resolved = await self._venue.resolve_open(self._cannot_read, is_patient=is_patient)
        if await self._upkeep.resolve_open(is_patient=is_patient) and not self._books.unresolved():
            self.reconciliation = await self._books.reconcile(node)

    def _held_back(self, order: Order) -> str:
        """What has been set, and has happened, since an order was decided holds for each of its signatures too."""
        try:
            switch = self.books.run.states.switch()
        except StorageError as failed:
            return f"nobody can tell whether trading was stopped: {failed.what}"
        # What a person has set holds at once, heard by those who trade or not.
        is_stopped = switch.trading is TradingState.HALTED or (
            order.side is TradeSide.BUY and switch.trading is not TradingState.ACTIVE
        )
        return f"trading is {switch.trading.value}: {switch.reason}" if is_stopped else self.held_back(order)

    def _cannot_read(self, order: Order, error: PumpSwapError) -> None:
        self.unread[order.order_id] = error


def check_signer(settings: Settings, signer: LimitedSigner) -> None:
    """Raises ConfigError for another key than the settings name, KeyLocked for one without limits."""
    configured = settings.wallet.public_key
    if configured is not None and configured != str(signer.public_key):
        raise ConfigError(
            f"the unlocked key is {signer.public_key}, the settings want {configured}",
            hint="change wallet.public_key or unlock the other wallet",
        )
    if signer.limits is None:
        raise KeyLocked(
            f"wallet {signer.public_key} has no limits, and live trading needs them",
            hint="set them: pumpswap wallet limits --max-order SOL --max-day SOL --min-reserve SOL",
        )


def _lanes(connection: ChainConnection, sending: SendingSettings) -> tuple[Lane, ...]:
    lanes: list[Lane] = []
    for name in dict.fromkeys(sending.lanes):
        if name == "rpc":
            lanes.append(RpcLane(connection.node))
        elif sending.jito_url is None:
            raise ConfigError("the lane jito has no address", hint="set sending.jito_url, or leave the lane out")
        else:
            lanes.append(JitoLane(sending.jito_url))
    return tuple(lanes)


def _limit(policy: str, found: int, most: int) -> Verdict:
    numbers = {"lamports": str(found), "max_lamports": str(most)}
    return Verdict(policy, found <= most, f"{format_sol(found)} SOL, at most {format_sol(most)}", numbers)
