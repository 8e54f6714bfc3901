"""What every section of the settings is, and the kinds of values in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pumpswap.units import to_units

__all__ = ["BpsValue", "Part", "PublicKey", "Seconds", "Section", "Share", "Sol", "Weight"]

Share = Annotated[Decimal, Field(gt=0, le=1)]
Sol = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9)]
BpsValue = Annotated[int, Field(ge=0, le=10_000)]
Part = Annotated[int, Field(gt=0, le=10_000)]  # of something, in basis points
PublicKey = Annotated[str, Field(pattern="^[1-9A-HJ-NP-Za-km-z]{32,44}$")]
Seconds = Annotated[int, Field(ge=0)]
Weight = Annotated[Decimal, Field(ge=0, le=1)]


class Section(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def lamports(self, name: str) -> int:
        """A SOL setting in lamports."""
        return to_units(getattr(self, name), 9)
