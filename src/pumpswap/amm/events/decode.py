"""Event bytes to typed events and back (PROTOCOL 5.1)."""

from __future__ import annotations

import struct
from typing import Any

from pumpswap.amm.codec import layout_of
from pumpswap.amm.events.admin import (
    CreateConfigEvent,
    DisableEvent,
    ReservedFeeRecipientsEvent,
    UpdateAdminEvent,
    UpdateCreatorFeeConfigEvent,
    UpdateFeeConfigEvent,
)
from pumpswap.amm.events.boost import BoostBuyAndBurnEvent, InitBoostEvent, SetBoostAuthorityEvent
from pumpswap.amm.events.creators import (
    AdminCtoPoolEvent,
    AdminSetCoinCreatorEvent,
    AdminSetCoinCreatorFeeEditableEvent,
    MigratePoolCoinCreatorEvent,
    SetBondingCurveCoinCreatorEvent,
    SetCoinCreatorFeeBpsEvent,
    SetMetaplexCoinCreatorEvent,
)
from pumpswap.amm.events.event import Event
from pumpswap.amm.events.fees import ClaimCashbackEvent, CollectCoinCreatorFeeEvent, SweepPoolFeeEvent
from pumpswap.amm.events.incentives import (
    AdminUpdateTokenIncentivesEvent,
    ClaimTokenIncentivesEvent,
    CloseUserVolumeAccumulatorEvent,
    InitUserVolumeAccumulatorEvent,
    SyncUserVolumeAccumulatorEvent,
)
from pumpswap.amm.events.pools import (
    CompletePumpAmmMigrationEvent,
    CreatePoolEvent,
    DepositEvent,
    ExtendAccountEvent,
    WithdrawEvent,
)
from pumpswap.amm.events.trades import BuyEvent, SellEvent
from pumpswap.errors import AmountOutOfRange, MalformedEvent

__all__ = ["CPI_PREFIX", "EVENTS", "decode_event", "encode_event", "event_type"]

CPI_PREFIX = bytes.fromhex("e445a52e51cb9a1d")

EVENTS: tuple[type[Event], ...] = (
    AdminCtoPoolEvent,
    AdminSetCoinCreatorEvent,
    AdminSetCoinCreatorFeeEditableEvent,
    AdminUpdateTokenIncentivesEvent,
    BoostBuyAndBurnEvent,
    BuyEvent,
    ClaimCashbackEvent,
    ClaimTokenIncentivesEvent,
    CloseUserVolumeAccumulatorEvent,
    CollectCoinCreatorFeeEvent,
    CompletePumpAmmMigrationEvent,
    CreateConfigEvent,
    CreatePoolEvent,
    DepositEvent,
    DisableEvent,
    ExtendAccountEvent,
    InitBoostEvent,
    InitUserVolumeAccumulatorEvent,
    MigratePoolCoinCreatorEvent,
    ReservedFeeRecipientsEvent,
    SellEvent,
    SetBondingCurveCoinCreatorEvent,
    SetBoostAuthorityEvent,
    SetCoinCreatorFeeBpsEvent,
    SetMetaplexCoinCreatorEvent,
    SweepPoolFeeEvent,
    SyncUserVolumeAccumulatorEvent,
    UpdateAdminEvent,
    UpdateCreatorFeeConfigEvent,
    UpdateFeeConfigEvent,
    WithdrawEvent,
)

_TYPES = {kind.DISCRIMINATOR: kind for kind in EVENTS}


def event_type(data: bytes) -> type[Event] | None:
    """Class of these event bytes, with or without the self-CPI prefix; None when the discriminator is not known."""
    return _TYPES.get(data[8:16] if data[:8] == CPI_PREFIX else data[:8])


def decode_event(data: bytes) -> Event | None:
    """Event of bytes with or without the self-CPI prefix, or None when the discriminator is not known.

    Bytes alone do not say who emitted them: use ``logs`` for transactions. Fields newer than the payload are zero and
    surplus bytes are ignored. Raises MalformedEvent for a payload that ends inside a field, a bool that is neither 0
    nor 1, or a text that does not fit or is not UTF-8.
    """
    start = 16 if data[:8] == CPI_PREFIX else 8
    kind = _TYPES.get(data[start - 8 : start])
    if kind is None:
        return None
    try:
        return kind(*layout_of(kind).unpack(data[start:], pad_anywhere=False))
    except ValueError as broken:
        hint = "the bytes are cut or damaged, or the layout has changed: compare with a fresh copy, then upgrade"
        raise MalformedEvent(f"{kind.__name__}: {broken}", hint=hint) from None


def encode_event(event: Event) -> bytes:
    """Discriminator and payload in the newest layout. Raises AmountOutOfRange for a value its field cannot hold."""
    values: list[Any] = [getattr(event, name) for name in event.__struct_fields__]
    try:
        return event.DISCRIMINATOR + layout_of(type(event)).pack(values)
    except (struct.error, ArithmeticError, ValueError) as broken:
        raise AmountOutOfRange(f"{type(event).__name__} cannot be encoded: {broken}") from None
