"""JSON texts of model objects. Every exact number is a string, since most JSON readers keep only 53 bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from pumpswap.amm import BuyQuote, Quote, SellQuote
from pumpswap.errors import UsageError
from pumpswap.model import Costs, Denied, Rejected, Side, Signal, SizingStep, Unknown, Verdict

__all__ = [
    "Unfilled",
    "clean_text",
    "dump_mapping",
    "dump_outcome",
    "dump_quote",
    "dump_signal",
    "dump_sizing",
    "dump_text",
    "dump_verdicts",
    "load_mapping",
    "load_outcome",
    "load_quote",
    "load_signal",
    "load_sizing",
    "load_verdicts",
    "refusing",
]

Unfilled = Rejected | Denied | Unknown


class _Kind(msgspec.Struct):
    kind: str


class _Answer(msgspec.Struct):
    policy: str
    passed: bool


_KIND = msgspec.json.Decoder(_Kind)
_ANSWERS = msgspec.json.Decoder(list[_Answer])
# Not strict: the numbers are texts.
_QUOTES: dict[str, msgspec.json.Decoder[BuyQuote] | msgspec.json.Decoder[SellQuote]] = {
    "buy": msgspec.json.Decoder(BuyQuote, strict=False),
    "sell": msgspec.json.Decoder(SellQuote, strict=False),
}
# Strangers choose token names: what no database can hold is replaced, not refused.
_UNSTORABLE = dict.fromkeys([0, *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")


def clean_text(text: str) -> str:
    """``text`` as a database can hold it: NUL and lone surrogates become U+FFFD."""
    return text if text.isascii() and "\0" not in text else text.translate(_UNSTORABLE)


def dump_mapping(values: Mapping[str, object], what: str) -> str:
    """Settings or a summary, as they are. Raises UsageError when ``values`` holds something that JSON cannot say."""
    try:
        return _dump(values)
    except TypeError as error:
        raise UsageError(
            f"{what} cannot be written as JSON: {error}", hint="numbers, text, lists and mappings"
        ) from None


def load_mapping(text: str) -> dict[str, object]:
    """Inverse of ``dump_mapping``; a Decimal comes back as text."""
    return cast(dict[str, object], _load(text))


def dump_text(text: str) -> str:
    """``text`` as it stands in a document, quotes around it."""
    return _dump(text)


def dump_quote(quote: Quote) -> str:
    """A quote with all its fields."""
    kind = "buy" if isinstance(quote, BuyQuote) else "sell"
    return _dump({"kind": kind} | {name: _digits(getattr(quote, name)) for name in quote.__struct_fields__})


def load_quote(text: str) -> Quote:
    """Inverse of ``dump_quote``."""
    kind = _KIND.decode(text).kind
    quote: Quote = _QUOTES[kind].decode(text)
    return quote


def dump_signal(signal: Signal) -> str:
    """A signal; score and strength as the shortest text that gives the same float again."""
    return _dump(
        {
            "pool": signal.pool,
            "at_ns": str(signal.at_ns),
            "side": signal.side.value,
            "score": repr(float(signal.score)),
            "strength": repr(float(signal.strength)),
            "source": signal.source,
            "reasons": signal.reasons,
            "mint": signal.mint,
            "name": signal.name,
            "regime": signal.regime,
            **{name: _figure(getattr(signal, name)) for name in _FIGURES},
        }
    )


def load_signal(text: str) -> Signal:
    """Inverse of ``dump_signal``. What an older version did not tell has its default."""
    fields = _load(text)
    figures = {name: float(fields[name]) for name in _FIGURES if fields.get(name) is not None}
    return Signal(
        pool=fields["pool"],
        at_ns=int(fields["at_ns"]),
        side=Side(fields["side"]),
        score=float(fields["score"]),
        strength=float(fields["strength"]),
        source=fields["source"],
        reasons=tuple(fields["reasons"]),
        mint=fields["mint"],
        name=fields["name"],
        regime=fields.get("regime", ""),
        **figures,
    )


def dump_verdicts(verdicts: tuple[Verdict, ...]) -> str:
    """What every policy answered, with the figures it compared."""
    return _dump([_verdict(verdict) for verdict in verdicts])


def load_verdicts(text: str) -> tuple[Verdict, ...]:
    """Inverse of ``dump_verdicts``."""
    return tuple(
        Verdict(one["policy"], one["passed"], one["text"], one["numbers"], _number(one.get("until_ns")))
        for one in _load(text)
    )


def refusing(text: str) -> tuple[str, ...]:
    """The policies that refused, of the verdicts in a document: the rest of it is not read."""
    return tuple(one.policy for one in _ANSWERS.decode(text) if not one.passed)


def dump_sizing(steps: tuple[SizingStep, ...]) -> str:
    """The steps of the calculation of a size."""
    return _dump([{"rule": step.rule, "lamports": str(step.lamports), "note": step.note} for step in steps])


def load_sizing(text: str) -> tuple[SizingStep, ...]:
    """Inverse of ``dump_sizing``."""
    return tuple(SizingStep(step["rule"], int(step["lamports"]), step["note"]) for step in _load(text))


def dump_outcome(outcome: Unfilled) -> str:
    """An outcome without a trade. Its order and time are columns."""
    fields: dict[str, object]
    match outcome:
        case Rejected():
            fields = {
                "slot": str(outcome.slot),
                "code": _digits(outcome.code),
                "name": outcome.name,
                "text": outcome.text,
                "costs": {name: str(getattr(outcome.costs, name)) for name in _COSTS},
                "signature": outcome.signature,
            }
        case Denied():
            fields = {"rule": outcome.rule, "text": outcome.text}
        case Unknown():
            fields = {"signature": outcome.signature, "expiry_height": str(outcome.expiry_height)}
    return _dump(fields)


def load_outcome(status: str, order_id: str, at_ns: int, text: str) -> Unfilled:
    """Inverse of ``dump_outcome``. Raises ValueError for a status that has no document."""
    fields = _load(text)
    match status:
        case "rejected":
            return Rejected(
                order_id=order_id,
                at_ns=at_ns,
                slot=int(fields["slot"]),
                code=_number(fields["code"]),
                name=fields["name"],
                text=fields["text"],
                costs=Costs(**{name: int(fields["costs"][name]) for name in _COSTS}),
                signature=fields["signature"],
            )
        case "denied":
            return Denied(order_id, at_ns, fields["rule"], fields["text"])
        case "unknown":
            return Unknown(order_id, at_ns, fields["signature"], int(fields["expiry_height"]))
    raise ValueError(f"an order with the status {status!r} has no such outcome")


_COSTS = ("network_fee", "priority_fee", "tip", "rent_paid", "rent_returned")
_FIGURES = ("q50", "size_multiplier", "win_probability", "win_loss_ratio", "vol_risk", "base_score")


def _verdict(verdict: Verdict) -> dict[str, object]:
    told = {"policy": verdict.policy, "passed": verdict.passed, "text": verdict.text, "numbers": dict(verdict.numbers)}
    return told if verdict.until_ns is None else told | {"until_ns": str(verdict.until_ns)}


def _figure(value: float | None) -> str | None:
    """The shortest text that gives the same float again."""
    return None if value is None else repr(float(value))


def _digits(value: int | None) -> str | None:
    return None if value is None else str(value)


def _number(digits: str | None) -> int | None:
    return None if digits is None else int(digits)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is no JSON value")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_UNSTORABLE)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner) for inner in value]
    return value


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def _dump(value: object) -> str:
    try:
        return _ENCODER.encode(value).decode()
    except UnicodeEncodeError:
        return _ENCODER.encode(_clean(value)).decode()


def _load(text: str) -> Any:
    return msgspec.json.decode(text)
