"""The group ``pumpswap signal``: what the analysis says, and how good it is."""

from __future__ import annotations

from pumpswap.cli.lazy import Entry, Example, LazyGroup

__all__ = ["signal"]

signal = LazyGroup(
    "signal",
    entries={
        "run": Entry("pumpswap.cli.signal_run:run", "score pools: base and enhanced side by side"),
        "compare": Entry("pumpswap.cli.signal_compare:compare", "which of the two scores predicts better?"),
        "follow": Entry("pumpswap.cli.signal_follow:follow", "the trades of chosen wallets as signals"),
        "q50": Entry("pumpswap.cli.signal_q50:q50", "the frame of the quantile model"),
    },
    help=(
        "Signals: the host's score of a pool, the enhanced one that knows what a trade would really cost, and the "
        "quantile model's frame. Nothing here trades."
    ),
    examples=[
        Example("pumpswap signal run --simulated 8", "score the pools of a simulated market"),
        Example("pumpswap signal compare --simulated 8", "compare the two scores over it"),
    ],
)
