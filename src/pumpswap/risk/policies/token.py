"""Whether this token may be bought at all: lists, screens, books that disagree about it."""

from __future__ import annotations

from pumpswap.clock import format_utc
from pumpswap.model import ScreenVerdict, Verdict
from pumpswap.risk.policies.candidate import Candidate

__all__ = ["books", "screen", "token_lists"]


def token_lists(ask: Candidate) -> Verdict | None:
    """``deny_tokens`` are never bought; where ``allow_tokens`` names any, only those are."""
    mint, allowed, denied = ask.intent.mint, ask.limits.allow_tokens, ask.limits.deny_tokens
    if mint in denied:
        return Verdict("token lists", False, "the token is on risk.deny_tokens")
    if allowed and mint not in allowed:
        return Verdict("token lists", False, f"the token is not among the {len(allowed)} of risk.allow_tokens")
    return Verdict("token lists", True, "on risk.allow_tokens" if allowed else "no list objects")


def screen(ask: Candidate) -> Verdict | None:
    """A token that was screened is bought only when every check was made and passed; ``require_screen`` refuses one
    that nobody has screened.
    """
    report, required = ask.book.screen, ask.limits.require_screen
    if report is None:
        text = "nobody has screened this token" if required else "not screened, and risk.require_screen is off"
        return Verdict("screen", not required, text)
    verdict = report.verdict
    numbers = {"verdict": verdict.value, "at": format_utc(report.at_ns)}
    if verdict is ScreenVerdict.SAFE:
        return Verdict("screen", True, f"every check of {numbers['at']} was passed", numbers)
    objection = report.objections[0] if report.objections else "no check was made"
    said = "unsafe" if verdict is ScreenVerdict.UNSAFE else "nobody knows whether it is safe"
    return Verdict("screen", False, f"{said}: {objection}", numbers)


def books(ask: Candidate) -> Verdict | None:
    """Books and wallet agree about this token."""
    obstacle = ask.book.books_obstacle
    return Verdict("books", not obstacle, obstacle or "books and wallet agree")
