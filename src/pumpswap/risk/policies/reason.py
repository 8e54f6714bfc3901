"""Whether there is a reason to buy this, now: the signal and its age, what is held, what was just sold."""

from __future__ import annotations

from pumpswap.model import Side, Verdict
from pumpswap.risk.policies.candidate import Candidate, seconds

__all__ = ["TRADED", "cooldown", "declined", "one_position", "open_order", "open_positions", "signal", "signal_age"]

# Who is refused by one of these has been traded already: that was no near miss.
TRADED = frozenset({"one position", "open order", "cool-down"})


def signal(ask: Candidate) -> Verdict | None:
    """The score reaches the threshold and points up."""
    found, least = ask.intent.signal, ask.signals.min_score
    if found is None and ask.intent.is_by_hand:
        return Verdict("signal", True, "asked for by hand: no signal needed")
    if found is None:
        return Verdict("signal", False, "there is no signal")
    numbers = {"score": str(found.score), "min_score": str(least), "side": found.side.value}
    if not found.score >= least:  # also refuses a score that is no number
        return Verdict("signal", False, f"score {found.score:.1f} is below {least:g}", numbers)
    if found.side is not Side.LONG:
        return Verdict("signal", False, f"the signal says {found.side.value}, not long", numbers)
    return Verdict("signal", True, f"score {found.score:.1f} reaches {least:g}", numbers)


def signal_age(ask: Candidate) -> Verdict | None:
    """The signal is recent, or was when a person was asked about it. One that is stamped later than now is as far off
    as one of so long ago.
    """
    found = ask.intent.signal
    if found is None:
        return None
    when = ask.intent.at_ns if ask.intent.proposed_ns is None else ask.intent.proposed_ns
    age, most = when - found.at_ns, ask.caps.max_signal_age_ns
    limit = ask.limits.max_signal_age_seconds
    numbers = {"age_ns": str(age), "max_signal_age_seconds": str(limit)}
    was = "is" if ask.intent.proposed_ns is None else "was, when it was proposed,"
    said = f"{seconds(age)} old" if age >= 0 else f"stamped {seconds(-age)} after now"
    return Verdict("signal age", abs(age) <= most, f"the signal {was} {said}, at most {limit} s", numbers)


def one_position(ask: Candidate) -> Verdict | None:
    """One round per pool at a time. A person may add to what is held."""
    if ask.book.position is None:
        return Verdict("one position", True, "nothing of it is held")
    if ask.intent.is_by_hand:
        return Verdict("one position", True, "adds to what is held, as asked by hand")
    return Verdict("one position", False, "this pool is held already")


def open_order(ask: Candidate) -> Verdict | None:
    """Nothing while an order on the token is on its way or unresolved: it could trade twice. A proposal that waits for
    a person keeps back buys only.
    """
    if ask.book.has_open_order:
        return Verdict("open order", False, "an order on this token is not finished")
    if ask.book.is_proposed:
        return Verdict("open order", False, "a buy of it waits for your approval")
    return Verdict("open order", True, "no order on this token is open")


def cooldown(ask: Candidate) -> Verdict | None:
    """After a closed round the pool rests."""
    closed = ask.book.closed_ns
    if closed is None or ask.intent.is_by_hand:
        return None
    since, rest = ask.intent.at_ns - closed, ask.limits.cooldown_seconds
    numbers = {"since_ns": str(since), "cooldown_seconds": str(rest)}
    text = f"{seconds(since)} since the last round here, at least {rest} s"
    if since >= ask.caps.cooldown_ns:
        return Verdict("cool-down", True, text, numbers)
    return Verdict("cool-down", False, text, numbers, closed + ask.caps.cooldown_ns)


def declined(ask: Candidate) -> Verdict | None:
    """A token that a person has declined is not proposed again at once."""
    said = ask.book.declined_ns
    if said is None or ask.intent.is_by_hand:
        return None
    since, rest = ask.intent.at_ns - said, ask.limits.cooldown_seconds
    numbers = {"since_ns": str(since), "cooldown_seconds": str(rest)}
    text = f"declined by a person {seconds(since)} ago, left alone for {rest} s"
    if since >= ask.caps.cooldown_ns:
        return Verdict("declined", True, text, numbers)
    return Verdict("declined", False, text, numbers, said + ask.caps.cooldown_ns)


def open_positions(ask: Candidate) -> Verdict | None:
    """Not too many rounds at once; adding to one makes no new one."""
    if ask.book.position is not None and ask.intent.is_by_hand:
        return None
    held, most = ask.book.open_positions, ask.limits.max_open_positions
    numbers = {"open_positions": str(held), "max_open_positions": str(most)}
    return Verdict("open positions", held < most, f"{held} open, at most {most}", numbers)
