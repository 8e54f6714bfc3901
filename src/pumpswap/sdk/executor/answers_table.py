"""The one table of what an executor answers: every case, its status, and whether the call may be repeated.

The page docs/executor.md shows the same table, and a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ANSWERS", "Answer", "Retry", "Status", "answer_of"]


class Status(Enum):
    """``UNKNOWN`` is none of the others: the order may still trade."""

    EXECUTED = "executed"
    HOLD = "hold"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    ERROR = "error"
    UNKNOWN = "unknown"


class Retry(Enum):
    """Whether a caller may make the same call again."""

    NEVER = "never"  # it would trade twice, or say the same for ever
    CHANGED = "when the input has changed"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Answer:
    """``code`` stands in ``reason``, of errors in ``error``."""

    code: str
    status: Status
    retry: Retry
    when: str


_E, _H, _S, _R, _X = Status.EXECUTED, Status.HOLD, Status.SKIPPED, Status.REJECTED, Status.ERROR

ANSWERS: tuple[Answer, ...] = (
    Answer("filled", _E, Retry.NEVER, "the order traded and is booked"),
    Answer("side_is_hold", _H, Retry.CHANGED, "the signal says hold, or tells no direction"),
    Answer("side_contradicts_q50", _H, Retry.CHANGED, "the side and the sign of q50 disagree"),
    Answer("score_below_threshold", _H, Retry.CHANGED, "the score is below `signals.min_score`"),
    Answer("not_economically_significant", _H, Retry.CHANGED, "the model expects less than the costs"),
    Answer("not_high_quality", _H, Retry.CHANGED, "`q50.require_high_quality` is on and the row is not"),
    Answer("no_regime", _H, Retry.CHANGED, "a model's signal without a regime: it is in its warm-up"),
    Answer("not_tradeable", _S, Retry.CHANGED, "the signal does not say that it is tradeable"),
    Answer("pumpswap_unavailable", _S, Retry.LATER, "`pumpswap_available` is not true: analysis only"),
    Answer("stale_signal", _S, Retry.NEVER, "the signal is older than it may be, or of the future"),
    Answer("no_position", _S, Retry.CHANGED, "a sale, and nothing of the coin is held"),
    Answer("insufficient_liquidity", _S, Retry.LATER, "the pool is too shallow for the size, or for any"),
    Answer("already_executed", _S, Retry.NEVER, "this very signal has traded before; its trade is told again"),
    Answer("approval_required", _S, Retry.LATER, "`run.mode` orders nothing, or not this without a person"),
    Answer("live_check_required", _S, Retry.LATER, "a live buy without a passed `pumpswap live check` that counts"),
    Answer("risk_limits_exceeded", _R, Retry.LATER, "the gate refused; `refusals` has every reason"),
    Answer("order_unresolved", _R, Retry.LATER, "an order on this token is not finished; its signature is told"),
    Answer("invalid_signal_data", _X, Retry.CHANGED, "something required is missing or no value; see `required`"),
    Answer("invalid_mint_address", _X, Retry.CHANGED, "no coin is named, or wrapped SOL, or the pool itself"),
    Answer("pair_not_found", _X, Retry.CHANGED, "the coin has no canonical pool, or that is no pool of PumpSwap"),
    Answer("pool_data_unavailable", _X, Retry.LATER, "the pool could not be read now"),
    Answer("protocol_drift", _X, Retry.NEVER, "the chain speaks what this version does not know: upgrade pumpswap"),
    Answer("settings_unusable", _X, Retry.CHANGED, "a setting is missing or wrong; the message says which"),
    Answer("wallet_locked", _X, Retry.CHANGED, "no unlocked wallet, or one without limits"),
    Answer("invalid_position_size", _X, Retry.CHANGED, "a size that is no positive amount of SOL"),
    Answer("invalid_sell_amount", _X, Retry.CHANGED, "an amount to sell that is no positive amount of tokens"),
    Answer("insufficient_balance", _X, Retry.LATER, "the wallet cannot pay for it with fees and rent"),
    Answer("slippage_exceeded", _X, Retry.LATER, "the price moved beyond the limit; nothing was traded"),
    Answer("transaction_failed", _X, Retry.LATER, "the program refused; its fees were paid, nothing was traded"),
    Answer("not_sent", _X, Retry.LATER, "a rule stopped the order before it was sent, or it expired unseen"),
    Answer("books_unavailable", _X, Retry.LATER, "the database or the wallet could not be used; nothing was ordered"),
    Answer("internal_error", _X, Retry.LATER, "a fault of this program; nothing was ordered, see the log"),
    Answer(
        "outcome_unknown", Status.UNKNOWN, Retry.NEVER,
        "sent, and it may still trade until `expiry_height`; or the books cannot tell",
    ),
)  # fmt: skip
_BY_CODE = {answer.code: answer for answer in ANSWERS}


def answer_of(code: str) -> Answer:
    """The row of a code. Raises KeyError for one that is not in the table."""
    return _BY_CODE[code]
