"""What is read of stored books to say what they have earned: fills, other lamports, and rounds, without documents."""

from __future__ import annotations

import msgspec

__all__ = ["BookedFill", "BookedMove", "BookedRound", "StoredRound"]


# They come in hundreds of thousands and refer to nothing that refers to them: the garbage collector need not look.
class BookedFill(msgspec.Struct, frozen=True, gc=False):
    """A fill of an order of ours, raw units and lamports.

    ``quote_lamports`` is all that a buy has paid or a sell has received, venue fees in. ``strategy`` is whose wish it
    was and ``exit_kind`` which rule wished a sale; empty where none did. ``quoted_lamports`` for ``quoted_units`` is
    what its order expected, venue fees in; zeros where that is not known.
    """

    order_id: str
    at_ns: int
    pool: str
    mint: str
    is_buy: bool
    base_units: int
    quote_lamports: int
    lp_fee_lamports: int
    protocol_fee_lamports: int
    creator_fee_lamports: int
    cashback_lamports: int
    network_fee_lamports: int
    priority_fee_lamports: int
    tip_lamports: int
    rent_lamports: int
    strategy: str = ""
    exit_kind: str = ""
    quoted_lamports: int = 0
    quoted_units: int = 0

    @property
    def spent_lamports(self) -> int:
        """What its transaction cost beside the swap, without rent, which is a deposit."""
        return self.network_fee_lamports + self.priority_fee_lamports + self.tip_lamports

    @property
    def swap_lamports(self) -> int:
        """What it changed of SOL, all fees and costs in, rent left out: negative for a buy."""
        received = -self.quote_lamports if self.is_buy else self.quote_lamports
        return received - self.spent_lamports

    @property
    def slippage(self) -> float | None:
        """Executed against quoted price, both after fees; positive is worse. None where nothing was quoted."""
        if not self.quoted_lamports or not self.quoted_units or not self.base_units:
            return None
        if self.is_buy:
            return self.quote_lamports * self.quoted_units / (self.base_units * self.quoted_lamports) - 1
        return 1 - self.quote_lamports / self.quoted_lamports


class BookedMove(msgspec.Struct, frozen=True, gc=False):
    """Lamports that moved by no fill: capital, failed transactions, upkeep of the wallet, what others did.

    ``kind`` is that of the ledger entry; ``by`` is ``failed`` (an order that the program refused), ``upkeep`` (of the
    wallet, also the fees of what its owner does by hand), ``hand`` (the SOL of what he buys or sells so), or empty.
    """

    at_ns: int
    kind: str
    lamports: int
    by: str = ""


class StoredRound(msgspec.Struct, frozen=True, gc=False):
    """What is stored of a round beside its trades: its name, and what its units were worth when they were last marked
    (0: never).
    """

    name: str
    base_units: int
    value_lamports: int | None
    marked_ns: int


class BookedRound(msgspec.Struct, frozen=True, gc=False):
    """A round of a position. ``strategy`` opened it; ``exit_kind`` is what closed it, or sold of it last.

    ``cost_lamports`` is what the units still held have cost; ``bought_lamports`` and ``sold_lamports`` are totals of
    the round, all costs in; ``value_lamports`` is what the units would bring, None where nobody could tell.
    """

    pool: str
    mint: str
    number: int
    opened_ns: int
    closed_ns: int | None
    base_units: int
    cost_lamports: int
    bought_lamports: int
    sold_lamports: int
    realised_lamports: int
    buys: int
    sells: int
    strategy: str = ""
    exit_kind: str = ""
    name: str = ""
    value_lamports: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything is held."""
        return self.closed_ns is None

    @property
    def unrealised_lamports(self) -> int | None:
        """Value over cost; None without a value."""
        return None if self.value_lamports is None else self.value_lamports - self.cost_lamports
