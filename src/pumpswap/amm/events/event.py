"""What every event is: a record with a discriminator and the program that may emit it."""

from __future__ import annotations

from typing import ClassVar

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.amm.codec import ZERO_KEY, Record

__all__ = ["NO_KEYS_7", "NO_KEYS_8", "Event"]

NO_KEYS_7 = (ZERO_KEY,) * 7
NO_KEYS_8 = (ZERO_KEY,) * 8


class Event(Record, frozen=True):
    """Base of every event. Field names and their order are the IDL's; amounts are raw units.

    Layouts only ever grew at the end, so every field has a zero default: that is what an older event leaves out.
    """

    DISCRIMINATOR: ClassVar[bytes]
    PROGRAM: ClassVar[Pubkey] = AMM_PROGRAM  # the Pump program has events of the same name and discriminator
