"""The nouns that rooms hand to each other. Pure and immutable: data, never behaviour that needs the world."""

from pumpswap.model.adoption import Adoption
from pumpswap.model.alert import Alert, AlertLevel
from pumpswap.model.attempt import Attempt, AttemptState
from pumpswap.model.chore import CHORE_PREFIX, Chore, ChoreResult, is_chore
from pumpswap.model.command import Command, CommandStatus, CommandVerb
from pumpswap.model.decision import Decision, Intent, SizingStep, TradeSide, Verdict
from pumpswap.model.delivery import Delivery, DeliveryStatus
from pumpswap.model.equity import EquityPoint
from pumpswap.model.exit_state import ExitKind, ExitState
from pumpswap.model.foreign import ForeignEvent, ForeignKind
from pumpswap.model.gain import RealisedGain, gain_between
from pumpswap.model.heartbeat import Heartbeat
from pumpswap.model.ledger import COST_KINDS, NETWORK_COSTS, OWN_MONEY, SOL, EntryKind, LedgerEntry
from pumpswap.model.mark import Mark
from pumpswap.model.mint_controls import MintControls, TransferFee
from pumpswap.model.mute import Mute
from pumpswap.model.observer import RunObserver
from pumpswap.model.order import Order
from pumpswap.model.outcome import Costs, Denied, Filled, Outcome, Rejected, Unknown
from pumpswap.model.pool_point import PoolPoint
from pumpswap.model.position import Position
from pumpswap.model.proposal import Proposal, ProposalStatus
from pumpswap.model.q50 import Q50Frame, Q50Row, Q50Series
from pumpswap.model.reconciliation import Reconciliation, ReconciliationStatus
from pumpswap.model.risk_state import BreakerState, RiskState
from pumpswap.model.screen import ScreenCheck, ScreenReport, ScreenVerdict
from pumpswap.model.seen_act import SeenAct
from pumpswap.model.signal import Side, Signal
from pumpswap.model.snapshot import PoolSnapshot
from pumpswap.model.spell import ANALYSIS, BROKEN, STOPPING, Spell
from pumpswap.model.spend_plan import PlanKind, SpendPlan
from pumpswap.model.swap import Swap
from pumpswap.model.token_facts import (
    Holder,
    HolderRole,
    Holders,
    MarketFigures,
    MintBasics,
    PoolAge,
    PoolStanding,
    SeenSwap,
    TokenFacts,
    TradingSeen,
)
from pumpswap.model.trading_switch import TradingState, TradingSwitch
from pumpswap.model.update import MarketUpdate
from pumpswap.model.what_if import WhatIf

__all__ = [
    "ANALYSIS",
    "BROKEN",
    "CHORE_PREFIX",
    "COST_KINDS",
    "NETWORK_COSTS",
    "OWN_MONEY",
    "SOL",
    "STOPPING",
    "Adoption",
    "Alert",
    "AlertLevel",
    "Attempt",
    "AttemptState",
    "BreakerState",
    "Chore",
    "ChoreResult",
    "Command",
    "CommandStatus",
    "CommandVerb",
    "Costs",
    "Decision",
    "Delivery",
    "DeliveryStatus",
    "Denied",
    "EntryKind",
    "EquityPoint",
    "ExitKind",
    "ExitState",
    "Filled",
    "ForeignEvent",
    "ForeignKind",
    "Heartbeat",
    "Holder",
    "HolderRole",
    "Holders",
    "Intent",
    "LedgerEntry",
    "Mark",
    "MarketFigures",
    "MarketUpdate",
    "MintBasics",
    "MintControls",
    "Mute",
    "Order",
    "Outcome",
    "PlanKind",
    "PoolAge",
    "PoolPoint",
    "PoolSnapshot",
    "PoolStanding",
    "Position",
    "Proposal",
    "ProposalStatus",
    "Q50Frame",
    "Q50Row",
    "Q50Series",
    "RealisedGain",
    "Reconciliation",
    "ReconciliationStatus",
    "Rejected",
    "RiskState",
    "RunObserver",
    "ScreenCheck",
    "ScreenReport",
    "ScreenVerdict",
    "SeenAct",
    "SeenSwap",
    "Side",
    "Signal",
    "SizingStep",
    "Spell",
    "SpendPlan",
    "Swap",
    "TokenFacts",
    "TradeSide",
    "TradingSeen",
    "TradingState",
    "TradingSwitch",
    "TransferFee",
    "Unknown",
    "Verdict",
    "WhatIf",
    "gain_between",
    "is_chore",
]
