"""Everything the AMM reports about itself, typed: one class per event, and who really emitted it.

``decode_event`` reads bytes, ``events_of_transaction`` reads transactions. Fields are the IDL's (PROTOCOL section 5).
"""

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
from pumpswap.amm.events.decode import CPI_PREFIX, EVENTS, decode_event, encode_event, event_type
from pumpswap.amm.events.event import Event
from pumpswap.amm.events.fees import ClaimCashbackEvent, CollectCoinCreatorFeeEvent, FeeBucket, SweepPoolFeeEvent
from pumpswap.amm.events.incentives import (
    AdminUpdateTokenIncentivesEvent,
    ClaimTokenIncentivesEvent,
    CloseUserVolumeAccumulatorEvent,
    InitUserVolumeAccumulatorEvent,
    SyncUserVolumeAccumulatorEvent,
)
from pumpswap.amm.events.logs import (
    EmittedEvent,
    EventSource,
    Instruction,
    TransactionEvents,
    events_from_inner_instructions,
    events_from_logs,
    events_of_transaction,
)
from pumpswap.amm.events.pools import (
    CompletePumpAmmMigrationEvent,
    CreatePoolEvent,
    DepositEvent,
    ExtendAccountEvent,
    WithdrawEvent,
)
from pumpswap.amm.events.trades import BuyEvent, SellEvent

__all__ = [
    "AdminCtoPoolEvent",
    "AdminSetCoinCreatorEvent",
    "AdminSetCoinCreatorFeeEditableEvent",
    "AdminUpdateTokenIncentivesEvent",
    "BoostBuyAndBurnEvent",
    "BuyEvent",
    "CPI_PREFIX",
    "ClaimCashbackEvent",
    "ClaimTokenIncentivesEvent",
    "CloseUserVolumeAccumulatorEvent",
    "CollectCoinCreatorFeeEvent",
    "CompletePumpAmmMigrationEvent",
    "CreateConfigEvent",
    "CreatePoolEvent",
    "DepositEvent",
    "DisableEvent",
    "EVENTS",
    "EmittedEvent",
    "Event",
    "EventSource",
    "ExtendAccountEvent",
    "FeeBucket",
    "InitBoostEvent",
    "InitUserVolumeAccumulatorEvent",
    "Instruction",
    "MigratePoolCoinCreatorEvent",
    "ReservedFeeRecipientsEvent",
    "SellEvent",
    "SetBondingCurveCoinCreatorEvent",
    "SetBoostAuthorityEvent",
    "SetCoinCreatorFeeBpsEvent",
    "SetMetaplexCoinCreatorEvent",
    "SweepPoolFeeEvent",
    "SyncUserVolumeAccumulatorEvent",
    "TransactionEvents",
    "UpdateAdminEvent",
    "UpdateCreatorFeeConfigEvent",
    "UpdateFeeConfigEvent",
    "WithdrawEvent",
    "decode_event",
    "encode_event",
    "event_type",
    "events_from_inner_instructions",
    "events_from_logs",
    "events_of_transaction",
]
