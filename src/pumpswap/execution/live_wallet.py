"""The live venue's wallet: what confirmed transactions have changed, by their balances alone."""

from __future__ import annotations

from collections.abc import Mapping

from pumpswap.chain.fills import WalletChange
from pumpswap.model import SOL

__all__ = ["LiveWallet"]


class LiveWallet:
    """Balances by asset, moved by transactions of ours. Changes that no order explains are kept apart in ``foreign``.

    The books move by itemised fees, this by balances: when both agree, nothing was forgotten.
    """

    def __init__(self, balances: Mapping[str, int] | None = None) -> None:
        self._held: dict[str, int] = dict(balances or {})
        self.foreign: dict[str, int] = {}

    def add(self, asset: str, units: int) -> None:
        """Capital that is put under the venue's care, or taken from it."""
        self._held[asset] = self._held.get(asset, 0) + units

    def apply(self, change: WalletChange, unexplained: Mapping[str, int] | None = None) -> None:
        """A confirmed transaction of ours; ``unexplained`` is the part of its change that the order did not cause."""
        strange = {asset: units for asset, units in (unexplained or {}).items() if units}
        for asset, units in ((SOL, change.sol_lamports), *change.tokens):
            self.add(asset, units - strange.get(asset, 0))
        for asset, units in strange.items():
            self.foreign[asset] = self.foreign.get(asset, 0) + units

    def balances(self) -> dict[str, int]:
        """Raw units by asset, without zeros."""
        return {asset: units for asset, units in self._held.items() if units}
