"""What the owner of a wallet says about its tokens, written into its stored books while nobody trades with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import WSOL_MINT, canonical_pool
from pumpswap.app.books import Books, entries_about, open_store
from pumpswap.chain.networks import network_of
from pumpswap.errors import NotFound, UsageError
from pumpswap.execution.live_books import LIVE
from pumpswap.model import NETWORK_COSTS, SOL, Adoption, ForeignKind, LedgerEntry, Position
from pumpswap.portfolio.movements import RENT_KINDS
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.restore import recall_portfolio
from pumpswap.sdk.wallet_lock import WalletLock
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run_header import RunHeader

__all__ = ["AdoptionWish", "OwnedBooks", "locked_books", "proposed_cost"]

# Rent comes back; what the network took of a transaction by hand is a cost already, of upkeep.
_NO_PRICE = RENT_KINDS | NETWORK_COSTS


@dataclass(frozen=True, slots=True)
class AdoptionWish:
    """``pool`` None: the coin's canonical pool. ``base_units`` None: all that belong to no position."""

    mint: Pubkey
    pool: Pubkey | None = None
    base_units: int | None = None


@contextmanager
def locked_books(settings: Settings, wallet: Pubkey | None, run_id: int | None = None) -> Iterator[OwnedBooks]:
    """The live books of a wallet, with the wallet's lock: no process trades with it until the block is left.

    Without ``run_id`` they are those of ``wallet`` (None: of any) on the settings' network that go on. Raises NotFound
    when there are none, UsageError when there are several, and for a run that cannot be changed; StorageError when a
    process is trading with the wallet.
    """
    with open_store(settings) as database:
        if database is None:
            raise NotFound(f"there are no books in {settings.data_dir}", hint="a live trade makes them: `pumpswap buy`")
        header = _live_header(database, settings, wallet, run_id)
        assert header.wallet is not None, "every live run has one"
        lock = WalletLock(settings.data_dir / "locks", Pubkey.from_string(header.wallet))
        with ExitStack() as held:
            lock.take()
            held.callback(lock.release)
            # As a trader does: the lock is of this machine, and the database may serve several.
            held.callback(database.claim(f"wallet {header.wallet} on {header.network}").release)
            yield OwnedBooks(Books(database, database.run(header.run_id), header))


def _live_header(database: Database, settings: Settings, wallet: Pubkey | None, run_id: int | None) -> RunHeader:
    if run_id is not None:
        header = database.run(run_id).header()
        if header.kind != LIVE or header.wallet is None or header.finished_ns is not None:
            state = "finished" if header.finished_ns is not None else "no live run"
            raise UsageError(f"run {run_id} is {state}", hint="only the books of a live wallet can be changed")
        return header
    network = settings.chain.network
    found = [
        header
        for header in database.runs()
        if header.kind == LIVE and header.finished_ns is None and header.wallet is not None
        if wallet is None or header.wallet == str(wallet)
        if network is None or (header.network is not None and network_of(header.network) == network)
    ]
    if not found:
        whose = "" if wallet is None else f" of wallet {wallet}"
        where = "" if network is None else f" on {network}"
        raise NotFound(f"there are no live books{whose}{where}", hint="`pumpswap runs list` lists what there is")
    if len(found) > 1:
        numbers = ", ".join(str(header.run_id) for header in found)
        raise UsageError(f"several live runs fit: {numbers}", hint="name one with --run")
    return found[0]


class OwnedBooks:
    """Stored live books that their owner changes. Made by ``locked_books``."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.portfolio: Portfolio = recall_portfolio(books.run)

    def planned(self, wish: AdoptionWish, at_ns: int, cost_lamports: int) -> Adoption:
        """The adoption that a wish comes to.

        Raises NotFound when every unit of the coin belongs to a position, UsageError for SOL, an ignored coin, one of
        which an order may still land, and the pool of another coin.
        """
        run, mint = self.books.run, str(wish.mint)
        self._require_coin(wish.mint)
        if mint in run.owned.ignored():
            raise UsageError(f"{mint} is ignored", hint=f"`pumpswap positions ignore {mint} --undo` comes first")
        if any(order.mint == mint for order in run.orders(unresolved=True)):
            raise UsageError(
                f"an order for {mint} may still land", hint="the next command with --live, or `reconcile`, settles it"
            )
        free = self.portfolio.free_units(mint)
        if free <= 0:
            hint = "`pumpswap reconcile` books what has come in; then adopt it"
            raise NotFound(f"the books have no units of {mint} that belong to no position", hint=hint)
        pool = str(wish.pool or canonical_pool(wish.mint))
        latest = run.latest_position(pool)
        if latest is not None and latest.mint != mint:
            raise UsageError(f"pool {pool} trades {latest.mint}", hint="name a pool of this coin with --pool")
        rounds = list(run.history.rounds(mint))
        return Adoption(
            at_ns=at_ns,
            after_sequence=self.portfolio.ledger.last_sequence,
            pool=pool,
            mint=mint,
            base_units=free if wish.base_units is None else wish.base_units,
            cost_lamports=cost_lamports,
            name=rounds[-1].name if rounds else "",
        )

    def adopt(self, adoption: Adoption) -> Position:
        """Make it a position and store both. Raises UsageError when there are not so many units free."""
        run = self.books.run
        decimals = run.history.decimals(adoption.mint)
        if decimals is not None:
            run.know_decimals(adoption.mint, decimals)
        position = self.portfolio.adopt(adoption, adoption.name)
        with run.batch():
            run.owned.adopt(adoption)
            run.save_position(position)
        return position

    def ignore(self, mint: Pubkey, at_ns: int, reason: str) -> None:
        """Ignore a coin. Raises UsageError for SOL and for a coin that a position holds."""
        self._require_coin(mint)
        held = [position for position in self.portfolio.positions.open_positions() if position.mint == str(mint)]
        if held:
            raise UsageError(
                f"a position holds {mint}, in pool {held[0].pool}", hint="close it first: what is held is not ignored"
            )
        self.books.run.owned.ignore(str(mint), at_ns, reason)

    def heed(self, mint: Pubkey) -> None:
        """Stop ignoring a coin. Raises NotFound when it was not ignored."""
        self.books.run.owned.heed(str(mint))

    @staticmethod
    def _require_coin(mint: Pubkey) -> None:
        if mint == WSOL_MINT:
            raise UsageError("wrapped SOL is SOL, and no coin", hint="name the mint of a coin")


def proposed_cost(books: Books, adoption: Adoption) -> int | None:
    """What manual buys of this coin have paid since its last adoption, in the share of the adopted units; without rent,
    and without the fees of the network, which are costs already.

    None where the books know of no such buy.
    """
    run = books.run
    after = max((each.after_sequence for each in run.owned.adoptions() if each.mint == adoption.mint), default=0)
    bought: dict[str, list[LedgerEntry]] = {}
    for entry in entries_about(run, adoption.mint):
        if entry.sequence > after and entry.note == ForeignKind.MANUAL_BUY.value:
            bought.setdefault(entry.signature, []).append(entry)
    units = sum(_moved(entries, adoption.mint) for entries in bought.values())
    paid = -sum(_moved([e for e in entries if e.kind not in _NO_PRICE], SOL) for entries in bought.values())
    if units <= 0 or paid <= 0:
        return None
    return paid * min(adoption.base_units, units) // units


def _moved(entries: Sequence[LedgerEntry], asset: str) -> int:
    return sum(entry.units for entry in entries if entry.asset == asset)
