"""What every section of the settings is, and the kinds of values in it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from pumpswap.settings.token_lists import token_of
from pumpswap.units import to_units

__all__ = ["BpsValue", "Mint", "Part", "PublicKey", "Seconds", "Section", "Share", "Sol", "TimeOfDay", "Weight"]

Share = Annotated[Decimal, Field(gt=0, le=1)]
Sol = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9)]
BpsValue = Annotated[int, Field(ge=0, le=10_000)]
Part = Annotated[int, Field(gt=0, le=10_000)]  # of something, in basis points
Mint = Annotated[str, BeforeValidator(token_of)]
PublicKey = Annotated[str, Field(pattern="^[1-9A-HJ-NP-Za-km-z]{32,44}$")]
Seconds = Annotated[int, Field(ge=0)]
Weight = Annotated[Decimal, Field(ge=0, le=1)]


def _time_of(value: Any) -> Any:
    # YAML reads 12:30 as the number 750.
    if isinstance(value, int):
        raise ValueError('is a number: write the time of day in quotes, like "12:30"')
    return value


TimeOfDay = Annotated[str, BeforeValidator(_time_of), Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Section(BaseModel):
    """Frozen; an unknown key is an error, and so is true or false (in YAML yes, no, on, off too) for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_not_one(cls, value: Any, about: ValidationInfo) -> Any:
        if _has_truth(value) and not _takes_truth(cls.model_fields[about.field_name or ""].annotation):
            raise ValueError("is neither a number nor a text: true, false, yes, no, on and off are not taken here")
        return value

    def lamports(self, name: str) -> int:
        """A SOL setting in lamports."""
        return to_units(getattr(self, name), 9)


def _has_truth(value: Any) -> bool:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(isinstance(one, bool) for one in value)
    return isinstance(value, bool)


def _takes_truth(annotation: Any) -> bool:
    """Whether the annotation itself says what is wrong with true and false, or nothing is."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return True
    return annotation is bool or any(map(_takes_truth, get_args(annotation)))
