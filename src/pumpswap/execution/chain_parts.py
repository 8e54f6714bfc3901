"""ChainVenueParts: what a chain venue works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from solders.pubkey import Pubkey

from pumpswap.chain.generation import GenerationProbe
from pumpswap.chain.lanes import Lane
from pumpswap.chain.node import Node
from pumpswap.chain.sender import Sender
from pumpswap.clock import Clock
from pumpswap.execution.books import Books
from pumpswap.execution.pool_source import PoolSource
from pumpswap.model import Order
from pumpswap.settings import Settings
from pumpswap.wallet.limits import WalletLimits

__all__ = ["ChainVenueParts"]


@dataclass(frozen=True, slots=True)
class ChainVenueParts:
    """What a chain venue works with. ``network`` is the genesis hash of the chain that the books belong to.

    ``limits`` are the wallet's own; the guard holds those of one order, the venue those of a day and the reserve.
    ``held_back`` says why nothing of an order is signed now, or nothing: asked before every signature.
    """

    node: Node
    sender: Sender
    pools: PoolSource
    books: Books
    generations: GenerationProbe
    wallet: Pubkey
    network: str
    clock: Clock
    settings: Settings
    rng: Random
    lanes: Sequence[Lane] = ()
    limits: WalletLimits | None = None
    held_back: Callable[[Order], str] = lambda _: ""
