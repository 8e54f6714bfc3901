"""screen_token: all rules over one token's facts."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pumpswap.model import ScreenCheck, ScreenReport, TokenFacts
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens import age, authorities, extensions, holders, pool, rug, volume
from pumpswap.signals.screens.verdicts import unknown

__all__ = ["CHECKS", "screen_token"]

_log = logging.getLogger(__name__)

Check = Callable[[TokenFacts, ScreenSettings], ScreenCheck | None]

CHECKS: tuple[Check, ...] = (
    authorities.mint_authority,
    authorities.freeze_authority,
    extensions.transfer_fee,
    extensions.transfer_hook,
    extensions.permanent_delegate,
    extensions.pausable,
    extensions.default_state,
    extensions.other_extensions,
    pool.canonical_pool,
    pool.lp_burned,
    holders.top_holder,
    holders.top_ten,
    age.age,
    rug.sells,
    rug.creator_sales,
    rug.liquidity_drop,
    rug.fdv_to_liquidity,
    volume.wallet_share,
    volume.round_trips,
    volume.same_sizes,
    volume.alternation,
    rug.market_figures,
)


def screen_token(facts: TokenFacts, settings: ScreenSettings | None = None, at_ns: int | None = None) -> ScreenReport:
    """Ask every rule. ``at_ns`` is when the report is made (default: when the facts were read).

    A rule that breaks is UNKNOWN, so not safe; the others go on.
    """
    limits = settings or ScreenSettings()
    asked = (_asked(check, facts, limits) for check in CHECKS)
    found = tuple(check for check in asked if check is not None)
    address = None if facts.pool is None else facts.pool.address
    return ScreenReport(facts.mint, facts.at_ns if at_ns is None else at_ns, found, address)


def _asked(check: Check, facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck | None:
    try:
        return check(facts, settings)
    except Exception as broken:  # fail closed: a bug in a rule must not make a token safe, nor hide the other rules
        _log.exception("screen-check-failed", extra={"check": check.__name__, "mint": facts.mint})
        return unknown(check.__name__.replace("_", " "), f"the check failed: {type(broken).__name__}: {broken}")
