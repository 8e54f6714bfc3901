"""Evidence as rows for people: the terminal and pages say the same."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from pumpswap.research.significance.evidence import Evidence, OutOfSample

__all__ = ["LuckRow", "luck_line", "luck_rows"]


class LuckRow(msgspec.Struct, frozen=True):
    """One test: its name, its figure and what that says."""

    label: str
    figure: str
    says: str


def luck_rows(evidence: Evidence, where: str = "out of sample") -> tuple[LuckRow, ...]:
    """Every test that was made. ``where``: of what the first of them are, ``out of sample`` or ``this back-test``."""
    return (*_ratio_rows(evidence, where), *_money_rows(evidence))


def luck_line(evidence: Evidence) -> str:
    """Verdict, both ratios and the first reason in one line."""
    outside, deflated = evidence.out_of_sample, evidence.deflated
    parts = []
    if outside.probability is not None:
        parts.append(f"Sharpe ratio above 0 with {outside.probability:.0%}")
    if deflated is not None:
        tries = f"{deflated.trials:,} tries" if deflated.trials > 1 else "1 try"
        parts.append(f"deflated for {tries} on this history {deflated.probability:.3f} (0.95 is wanted)")
    return "; ".join([evidence.reasons[0], *parts])


def _ratio_rows(evidence: Evidence, where: str) -> list[LuckRow]:
    outside, deflated, over = evidence.out_of_sample, evidence.deflated, evidence.overfit
    rows = []
    if outside.sharpe is not None and outside.probability is not None:
        bounds = f"95 %: {outside.low:.3f} to {outside.high:.3f}"
        rows.append(LuckRow(f"Sharpe ratio a period, {where}", f"{outside.sharpe:.3f}", bounds))
        rows.append(LuckRow("  probability that it is above 0", f"{outside.probability:.1%}", _needs(outside)))
    if deflated is not None:
        worth = f"best of {deflated.trials:,} tries, worth {deflated.effective:.1f} independent ones"
        tried = worth if deflated.trials > 1 else "nothing else was tried"
        rows.append(LuckRow("Deflated Sharpe ratio", f"{deflated.probability:.3f}", f"{tried}; 0.95 is wanted"))
        luck = f"in sample {deflated.sharpe:.3f}; luck alone would show {deflated.luck:.3f}"
        rows.append(LuckRow("  before it is deflated", f"{deflated.undeflated:.3f}", luck))
    if over is not None:
        text = f"how often the best of one half is below the middle in the other ({over.splits:,} halves)"
        rows.append(LuckRow("Overfitting (PBO)", f"{over.probability:.1%}", text))
    return [LuckRow(row.label, _minus(row.figure), _minus(row.says)) for row in rows]


def _money_rows(evidence: Evidence) -> list[LuckRow]:
    bands, network, null = evidence.monte_carlo, evidence.network, evidence.null
    rows = []
    if bands is not None:
        between = f"lose; 90 % lie between {_sol(bands.net.low)} and {_sol(bands.net.high)} SOL"
        rows.append(LuckRow("Same rounds drawn again", f"{bands.loss:.1%}", between))
        fall = f"one in twenty falls by {_sol(bands.drawdown.high, sign='')} SOL or more"
        rows.append(LuckRow("  drawdown", _sol(bands.drawdown.middle, sign=""), fall))
    if network is not None:
        between = f"90 % lie between {_sol(network.low)} and {_sol(network.high)} SOL"
        rows.append(LuckRow("Other orders failing", _sol(network.middle), between))
    if null is not None:
        gains = (
            f"gain on what was put in {_minus(f'{null.strategy:+.2%}')}, theirs {_minus(f'{null.random_middle:+.2%}')}"
        )
        rows.append(
            LuckRow("Random entries", f"{null.p_value:.1%}", f"of {null.draws} random strategies did as well; {gains}")
        )
    return rows


def _needs(outside: OutOfSample) -> str:
    if outside.shortest is None:
        return "it is not above 0"
    return f"{outside.periods:,} periods; {outside.shortest:,.0f} are needed to be 95 % sure"


def _sol(lamports: int, sign: str = "+") -> str:
    """Four decimals, more of a small amount, as in other columns."""
    places = 4 if abs(lamports) >= 10**8 or not lamports else 6 if abs(lamports) >= 10**6 else 9
    text = f"{Decimal(abs(lamports)).scaleb(-9):,.{places}f}"
    return f"{'−' if lamports < 0 else sign if lamports else ''}{text}"


def _minus(text: str) -> str:
    return text.replace("-", "−")
