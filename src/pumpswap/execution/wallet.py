"""The paper venue's wallet: what a chain would hold for us. It moves by the program's transfers, never by our books."""

from __future__ import annotations

from dataclasses import dataclass, field

from pumpswap.model import SOL

__all__ = ["PaperWallet"]


@dataclass(slots=True)
class PaperWallet:
    """``lamports`` is native and wrapped SOL together; ``tokens`` are base units by mint; an account exists or not."""

    lamports: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)  # mint → rent deposited in its token account
    has_volume_accumulator: bool = False

    def balances(self) -> dict[str, int]:
        """Balance by asset, without zeros."""
        held = {SOL: self.lamports, **self.tokens}
        return {asset: units for asset, units in held.items() if units}
