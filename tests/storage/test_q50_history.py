"""Q50History on both engines: rows of decisions, their orders, their fates, and counts by time."""

from __future__ import annotations

from pumpswap.model import Decision, Intent, Side, Signal, TradeSide, Unknown, Verdict
from pumpswap.storage import Database
from pumpswap.storage.q50_history import q50_of

SECOND = 10**9
AT = 1_793_577_600 * SECOND


def decision(number: int, *, accepted: bool = True, policy: str = "size", regime: str = "low") -> Decision:
    at_ns = AT + number * SECOND
    signal = Signal("pool", at_ns, Side.LONG, 90.0, 0.9, "q50", q50=0.0009, regime=regime)
    intent = Intent(TradeSide.BUY, "pool", "mint", at_ns, "test", signal, client_order_id=f"O-{number}")
    verdicts = (Verdict(policy, accepted, "as it is"),)
    lamports = 123_456_789 if accepted else 0
    return Decision(f"d{number:06d}", intent, accepted, verdicts, quote_lamports=lamports)


def test_a_signal_its_order_and_its_fate(database: Database) -> None:
    run, other = (database.start_run("paper", AT, 0, {}) for _ in range(2))
    history = run.q50_history
    for number, made in enumerate(
        (decision(0), decision(1, accepted=False), decision(2, accepted=False, policy="mode", regime="")), start=1
    ):
        signal = q50_of(made)
        assert signal is not None
        row = history.add(made, signal)
        if number == 1:
            history.ordered(row, "O-0")
    assert list(history.unfinished()) == ["O-0"]
    history.ended("O-0", Unknown("o000001", AT, "signature", 5))
    other.q50_history.ended("O-0", Unknown("o000001", AT, "signature", 5))  # another run's order of that name
    rows = history.rows()
    assert [row["execution_status"] for row in rows] == ["unknown", "refused", "analysis"]
    assert [row["regime_classification"] for row in rows] == ["low", "low", None]
    assert [float(row["position_size"]) for row in rows] == [0.123456789, 0, 0]
    assert [row["timestamp"] for row in rows] == [AT // SECOND + number for number in range(3)]
    assert {row["pool_id"] for row in rows} == {"solana_pool"}
    assert history.counted(AT, AT + 2 * SECOND) == [("low", "refused", 1), ("low", "unknown", 1)]
    assert history.counted(AT + 1, AT + SECOND) == []
    assert sum(count for _, _, count in history.counted(0, 2**63 - 1)) == 3
    assert other.q50_history.rows() == []


def test_other_decisions_are_none_of_it() -> None:
    made = decision(0)
    assert q50_of(Decision("d1", Intent(TradeSide.BUY, "pool", "mint", 0, "by hand"), True, ())) is None
    assert q50_of(made) is made.intent.signal
