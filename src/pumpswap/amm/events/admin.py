"""Settings of the whole program (PROTOCOL 5.3)."""

from __future__ import annotations

from pumpswap.amm.codec import I64, U64, ZERO_KEY, Flag, Key, KeyList7, KeyList8
from pumpswap.amm.events.event import NO_KEYS_7, NO_KEYS_8, Event

__all__ = [
    "CreateConfigEvent",
    "DisableEvent",
    "ReservedFeeRecipientsEvent",
    "UpdateAdminEvent",
    "UpdateCreatorFeeConfigEvent",
    "UpdateFeeConfigEvent",
]


class CreateConfigEvent(Event, frozen=True):
    """The program was set up."""

    DISCRIMINATOR = bytes.fromhex("6b34598137e25116")

    timestamp: I64 = 0
    admin: Key = ZERO_KEY
    lp_fee_basis_points: U64 = 0
    protocol_fee_basis_points: U64 = 0
    protocol_fee_recipients: KeyList8 = NO_KEYS_8
    coin_creator_fee_basis_points: U64 = 0
    admin_set_coin_creator_authority: Key = ZERO_KEY


class UpdateAdminEvent(Event, frozen=True):
    """Another key administers the program."""

    DISCRIMINATOR = bytes.fromhex("e198ab57f63f42ea")

    timestamp: I64 = 0
    admin: Key = ZERO_KEY
    new_admin: Key = ZERO_KEY


class UpdateFeeConfigEvent(Event, frozen=True):
    """Fee settings in the GlobalConfig (not the FeeConfig that prices trades) changed: re-read GlobalConfig."""

    DISCRIMINATOR = bytes.fromhex("5a1741233ef4bcd0")

    timestamp: I64 = 0
    admin: Key = ZERO_KEY
    lp_fee_basis_points: U64 = 0
    protocol_fee_basis_points: U64 = 0
    protocol_fee_recipients: KeyList8 = NO_KEYS_8
    coin_creator_fee_basis_points: U64 = 0
    admin_set_coin_creator_authority: Key = ZERO_KEY


class ReservedFeeRecipientsEvent(Event, frozen=True):
    """The recipients of mayhem pools changed: re-read GlobalConfig, the old list is refused with 6013."""

    DISCRIMINATOR = bytes.fromhex("2bbcfa12dd4bbb5f")

    timestamp: I64 = 0
    reserved_fee_recipient: Key = ZERO_KEY
    reserved_fee_recipients: KeyList7 = NO_KEYS_7


class UpdateCreatorFeeConfigEvent(Event, frozen=True):
    """Whether and how far pools may set their own creator rate changed: re-read GlobalConfig."""

    DISCRIMINATOR = bytes.fromhex("98c67c7c6af67fbf")

    timestamp: I64 = 0
    admin: Key = ZERO_KEY
    creator_fee_configurable: Flag = False
    max_configurable_creator_fee_bps: U64 = 0


class DisableEvent(Event, frozen=True):
    """Functions of the program were switched: stop trading when ``disable_buy`` or ``disable_sell`` is set."""

    DISCRIMINATOR = bytes.fromhex("6bfdc14ce4ca1b68")

    timestamp: I64 = 0
    admin: Key = ZERO_KEY
    disable_create_pool: Flag = False
    disable_deposit: Flag = False
    disable_withdraw: Flag = False
    disable_buy: Flag = False
    disable_sell: Flag = False
