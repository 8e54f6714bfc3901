"""Token-2022 extensions: fees and code on transfers, other hands in your account, figures that are not true."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from pumpswap.model import MintControls, ScreenCheck, TokenFacts
from pumpswap.model.mint_controls import HARMLESS_EXTENSIONS
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens.verdicts import missing, safe, unknown, unsafe

__all__ = ["default_state", "other_extensions", "pausable", "permanent_delegate", "transfer_fee", "transfer_hook"]

# Looked at by a check of its own.
_JUDGED = frozenset({"transfer-fee", "transfer-hook", "permanent-delegate", "pausable", "default-account-state"})

_OF_MINT = Callable[[MintControls, ScreenSettings], ScreenCheck]


def _of_mint(name: str) -> Callable[[_OF_MINT], Callable[[TokenFacts, ScreenSettings], ScreenCheck]]:
    """A rule over the extensions alone; without the mint it is unknown."""

    def wrap(rule: _OF_MINT) -> Callable[[TokenFacts, ScreenSettings], ScreenCheck]:
        @wraps(rule)
        def check(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
            if facts.basics is None:
                return missing(name, facts, "basics")
            return rule(facts.basics.controls, settings)

        return check

    return wrap


@_of_mint("transfer fee")
def transfer_fee(controls: MintControls, settings: ScreenSettings) -> ScreenCheck:
    """The larger of the rate that holds and the one announced; an authority may announce any."""
    name, fee, most = "transfer fee", controls.transfer_fee, settings.max_transfer_fee_bps
    if fee is None:
        if "transfer-fee" in controls.kinds:
            return unknown(name, "the mint has one, and its rate was not read")
        return safe(name, "none")
    figures = {"older_bps": fee.older_bps, "newer_bps": fee.newer_bps, "newer_epoch": fee.newer_epoch, "max_bps": most}
    if fee.worst_bps > most:
        then = f", {fee.newer_bps} bps from epoch {fee.newer_epoch} on" if fee.newer_bps != fee.older_bps else ""
        return unsafe(name, f"{fee.older_bps} bps of every transfer{then}; at most {most}", **figures)
    if fee.authority is not None:
        text = f"{fee.worst_bps} bps now, but {fee.authority} may raise it to all of a transfer"
        return unsafe(name, text, holder=fee.authority, **figures)
    return safe(name, f"{fee.worst_bps} bps of every transfer, fixed for good", **figures)


@_of_mint("transfer hook")
def transfer_hook(controls: MintControls, settings: ScreenSettings) -> ScreenCheck:
    """A program that runs on every transfer can refuse yours."""
    name = "transfer hook"
    if controls.hook_program is not None:
        text = f"the program {controls.hook_program} runs on every transfer and can refuse it"
        return unsafe(name, text, program=controls.hook_program)
    if controls.hook_authority is not None:
        text = f"no program now, but {controls.hook_authority} may set one"
        return unsafe(name, text, holder=controls.hook_authority)
    return safe(name, "none")


@_of_mint("permanent delegate")
def permanent_delegate(controls: MintControls, settings: ScreenSettings) -> ScreenCheck:
    """May move or burn the tokens of anybody."""
    name, holder = "permanent delegate", controls.permanent_delegate
    if holder is None:
        return safe(name, "none")
    return unsafe(name, f"{holder} can take or burn your tokens", holder=holder)


@_of_mint("pausable")
def pausable(controls: MintControls, settings: ScreenSettings) -> ScreenCheck:
    """All transfers can be stopped at once."""
    name, holder = "pausable", controls.pause_authority
    if controls.is_paused:
        return unsafe(name, "all transfers are stopped now", is_paused=True)
    if holder is None:
        return safe(name, "nobody can stop transfers")
    return unsafe(name, f"{holder} can stop all transfers", holder=holder)


@_of_mint("default state")
def default_state(controls: MintControls, settings: ScreenSettings) -> ScreenCheck:
    """New accounts that start frozen cannot sell what they bought."""
    name = "default state"
    if controls.is_frozen_by_default:
        return unsafe(name, "new accounts are frozen: what is bought cannot be sold")
    return safe(name, "new accounts can send and receive")


@_of_mint("other extensions")
def other_extensions(controls: MintControls, settings: ScreenSettings) -> ScreenCheck:
    """Everything else: what we know to be harmful, and what we do not know."""
    name = "other extensions"
    strange = [kind for kind in controls.kinds if kind.startswith("unknown-")]
    given_up = {"mint-close-authority"} if controls.close_authority is None else set()
    rest = [
        kind for kind in controls.kinds if kind not in _JUDGED | HARMLESS_EXTENSIONS | given_up and kind not in strange
    ]
    if rest:
        return unsafe(name, f"trading refuses tokens with {', '.join(rest)}", kinds=rest + strange)
    if strange:
        return unknown(name, f"{', '.join(strange)}: newer than this version", kinds=strange)
    return safe(name, f"only {', '.join(controls.kinds)}" if controls.kinds else "none", kinds=list(controls.kinds))
