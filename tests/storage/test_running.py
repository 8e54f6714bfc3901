"""What a running engine stores beside its books: states, commands, proposals; and decisions looked up one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pumpswap.errors import AmountOutOfRange, NotFound, StorageError, UsageError
from pumpswap.model import (
    Command,
    CommandStatus,
    CommandVerb,
    ExitState,
    Heartbeat,
    Intent,
    Proposal,
    ProposalStatus,
    RiskState,
    Signal,
    TradeSide,
)
from pumpswap.storage import Database, Run
from pumpswap.storage.decided import StoredDecision
from pumpswap.storage.documents import load_signal, load_verdicts
from pumpswap.storage.settlement import Settlement
from tests.storage import samples, stranger, strategies

PROPOSAL = Proposal("d000001", samples.POOL, samples.MINT, "TEST / SOL", 10**9, samples.NS, samples.NS + 9)


# ---------------------------------------------------------------------------------------------- states


@hypothesis_settings(max_examples=40)
@given(risk=strategies.risk_states, exits=st.lists(strategies.exit_states, max_size=4, unique_by=lambda one: one.pool))
def test_what_risk_and_exits_remember_comes_back_equal(
    shared_database: Database, risk: RiskState, exits: list[ExitState]
) -> None:
    run = shared_database.start_run("states", 0)
    assert (run.states.risk(), run.states.exits(), run.states.heartbeat()) == (None, (), None)
    with run.batch():
        run.states.save_risk(RiskState(), 1)
        run.states.save_risk(risk, 2)
        for state in exits:
            run.states.save_exits(state, 3)
    assert run.states.risk() == risk
    assert sorted(run.states.exits(), key=lambda one: one.pool) == sorted(exits, key=lambda one: one.pool)
    for state in exits:
        run.states.drop_exits(state.pool)
        run.states.drop_exits(state.pool)
    assert run.states.exits() == ()
    assert run.states.risk() == risk


def test_a_heartbeat_and_other_documents_replace_what_was_there(run: Run) -> None:
    beat = Heartbeat(5, 1, 4711, "paper", waiting=2, able=False, events=9, stopping=True, parts={"feed": "2 s behind"})
    run.states.beat(Heartbeat(4, 1, 4711, "paper"))
    run.states.beat(beat)
    assert run.states.heartbeat() == beat
    assert run.states.load("place/feed") is None
    run.states.save("place/feed", {"slot": "5"}, 5)
    run.states.save("place/feed", {"slot": "6"}, 6)
    assert run.states.load("place/feed") == {"slot": "6"}
    run.states.drop("place/feed")
    assert run.states.load("place/feed") is None
    with pytest.raises(UsageError, match="place/feed"):
        run.states.save("place/feed", {"slot": object()}, 6)
    with pytest.raises(AmountOutOfRange):
        run.states.save("place/feed", {}, 2**63)


def test_a_state_is_stored_with_what_caused_it_or_not_at_all(run: Run) -> None:
    def store_half() -> None:
        with run.batch():
            run.save_decision(samples.decision())
            run.states.save_risk(RiskState(peak_lamports=5), 5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_half()
    assert (run.states.risk(), list(run.decisions())) == (None, [])


def test_a_state_that_somebody_else_has_written_is_named(run: Run, target: object) -> None:
    run.states.save_risk(RiskState(), 5)
    stranger.execute(target, """UPDATE pumpswap_states SET document = '{"trading": "wild"}'""")  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="cannot be read"):
        run.states.risk()


# ---------------------------------------------------------------------------------------------- commands


@hypothesis_settings(max_examples=40)
@given(
    verb=st.sampled_from(CommandVerb),
    origin=strategies.texts,
    arguments=st.dictionaries(strategies.texts, strategies.texts, max_size=3),
    answer=strategies.texts,
)
def test_a_command_is_answered_once(
    shared_database: Database, verb: CommandVerb, origin: str, arguments: Mapping[str, str], answer: str
) -> None:
    run = shared_database.start_run("commands", 0)
    asked = Command(5, verb, origin, arguments)
    number = run.commands.add(asked)
    assert run.commands.waiting() == (replace(asked, number=number),)
    run.commands.finish(number, CommandStatus.DONE, answer, 9)
    done = replace(asked, number=number, status=CommandStatus.DONE, answer=answer, done_ns=9)
    assert (run.commands.get(number), run.commands.waiting(), run.commands.all()) == (done, (), (done,))
    with pytest.raises(StorageError, match="does not wait"):
        run.commands.finish(number, CommandStatus.FAILED, "again", 10)
    assert run.commands.get(number) == done


def test_commands_of_another_run_are_not_there(database: Database) -> None:
    one, two = database.start_run("a", 0), database.start_run("b", 0)
    number = one.commands.add(Command(5, CommandVerb.HALT, "me"))
    assert two.commands.waiting() == ()
    with pytest.raises(NotFound):
        two.commands.get(number)
    with pytest.raises(StorageError):
        two.commands.finish(number, CommandStatus.DONE, "", 5)
    assert len(one.commands.waiting()) == 1


# ---------------------------------------------------------------------------------------------- proposals


def test_a_person_answers_a_proposal_once_and_the_engine_acts_on_it_once(run: Run) -> None:
    for number in (1, 2, 3):
        run.save_decision(samples.decision(number))
        run.proposals.save(replace(PROPOSAL, decision_id=f"d{number:06d}", at_ns=number))
    assert [one.decision_id for one in run.proposals.waiting()] == ["d000001", "d000002", "d000003"]
    run.proposals.decide("d000002", ProposalStatus.APPROVED, "me@here", 7)
    run.proposals.decide("d000001", ProposalStatus.DECLINED, "me@here", 8)
    first, second = run.proposals.decided()
    assert (first.status, first.origin, first.decided_ns) == (ProposalStatus.DECLINED, "me@here", 8)
    assert second.status is ProposalStatus.APPROVED
    run.proposals.save(replace(second, status=ProposalStatus.ORDERED, follow_up="d000009"))
    run.proposals.save(first)  # the engine tells the same again: it has seen it
    assert run.proposals.decided() == ()
    assert run.proposals.get("d000002").follow_up == "d000009"
    about = [run.proposals.about(f"d{number:06d}") for number in (2, 9, 7)]
    assert [None if one is None else one.decision_id for one in about] == ["d000002", "d000002", None]
    assert [one.decision_id for one in run.proposals.waiting()] == ["d000003"]
    for decision_id in ("d000001", "d000002"):
        with pytest.raises(StorageError, match="does not wait"):
            run.proposals.decide(decision_id, ProposalStatus.APPROVED, "me@here", 9)
    with pytest.raises(NotFound, match="d000077"):
        run.proposals.decide("d000077", ProposalStatus.APPROVED, "me@here", 9)
    with pytest.raises(NotFound):
        run.proposals.get("d000077")
    with pytest.raises(UsageError):
        run.proposals.decide("d000003", ProposalStatus.ORDERED, "me@here", 9)


def test_a_proposal_belongs_to_a_stored_decision(run: Run) -> None:
    with pytest.raises(StorageError, match="contradicts the books"):
        run.proposals.save(PROPOSAL)


# ---------------------------------------------------------------------------------------------- runs


def test_the_paper_run_that_goes_on_and_the_run_whose_engine_beat_last(database: Database) -> None:
    assert (database.open_paper(), database.active_run()) == (None, None)
    over, paper, live = (database.start_run(kind, 1) for kind in ("paper", "paper", "live"))
    database.start_run("demo", 1)
    over.finish(5, {})
    for run, beat_ns in ((over, 99), (paper, 7), (live, 5)):
        run.states.beat(Heartbeat(beat_ns, 1, 1, "paper"))
    open_paper, active = database.open_paper(), database.active_run()
    assert open_paper is not None and open_paper.run_id == paper.run_id
    assert active is not None and active.run_id == paper.run_id
    live.states.beat(Heartbeat(8, 1, 1, "auto"))
    active = database.active_run()
    assert active is not None and active.run_id == live.run_id
    simulated = database.start_run("simulated", 1)
    found = database.open_paper("simulated")
    assert found is not None and found.run_id == simulated.run_id
    simulated.states.beat(Heartbeat(9, 1, 1, "paper"))
    active = database.active_run()
    assert active is not None and active.run_id == simulated.run_id


# ---------------------------------------------------------------------------------------------- decisions


def test_decisions_are_found_one_by_one_with_their_orders_and_repeats(run: Run) -> None:
    for number in range(1, 5):
        wish = Intent(TradeSide.BUY, f"pool{number % 2}", "M", number, "")
        run.save_decision(samples.decision(number, accepted=number == 4, intent=wish))
    run.decided.repeat("d000002", 3, 70)
    run.decided.repeat("d000002", 4, 80)
    run.decided.repeat("d000003", 1, 90)
    run.save_order(samples.order(4))
    run.save_outcome(samples.filled(4))
    assert run.decided.get("d000002") == StoredDecision(list(run.decisions())[1], 4, 80)
    assert run.decided.get("d000099") is None
    assert run.decided.repeated() == 5
    assert [one.decision.decision_id for one in run.decided.of_pool("pool0", 9)] == ["d000002", "d000004"]
    assert [one.decision.decision_id for one in run.decided.of_mint("M", 2)] == ["d000003", "d000004"]
    assert run.decided.order_of("d000004") == run.decided.order("o000004") == samples.order(4)
    assert (run.decided.order_of("d000001"), run.decided.order("o000001")) == (None, None)
    assert (run.decided.outcome("o000004"), run.decided.outcome("o000001")) == (samples.filled(4), None)
    assert run.decided.buys_since(samples.NS) == [samples.NS]
    assert run.decided.buys_since(samples.NS + 1) == []


@pytest.mark.parametrize(
    ("text", "pools"),
    [
        ("PoolOne", ["PoolOne"]),
        ("MintOfTheCoin", ["PoolOne", "PoolTwo"]),
        ("MintOfTh", ["PoolOne", "PoolTwo"]),
        ("cat", ["PoolOne"]),
        ("CAT / SOL", ["PoolOne"]),
        ('d"o\\g%', ["PoolTwo"]),
        ("ca", []),
        ("%", []),
        ("", []),
    ],
)
def test_pools_are_found_by_whatever_people_call_them(run: Run, text: str, pools: list[str]) -> None:
    for number, (pool, name) in enumerate((("PoolOne", "Cat / SOL"), ("PoolTwo", 'D"o\\g% / SOL')), 1):
        signal = replace(samples.SIGNAL, pool=pool, name=name)
        run.save_decision(samples.decision(number, intent=Intent(TradeSide.BUY, pool, "MintOfTheCoin", 5, "", signal)))
    found = run.decided.pools_of(text) or run.decided.pools_called(text)
    assert [pool for pool, _ in found] == pools


def told(target: object) -> list[tuple[float | None, str | None, float | None]]:
    query = "SELECT q50_value, vol_regime, signal_score FROM pumpswap_trades ORDER BY id"
    return [(None if a is None else float(a), b, None if c is None else float(c))
            for a, b, c in stranger.query(target, query)]  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("by_settlement", [False, True])
def test_a_trade_tells_the_q50_and_the_regime_of_its_signal(run: Run, target: object, by_settlement: bool) -> None:
    signals: list[Signal | None] = [
        replace(samples.SIGNAL, q50=0.0625, regime="high"),
        samples.SIGNAL,
        replace(samples.SIGNAL, q50=float("nan"), regime="low"),
        None,
    ]
    for number, signal in enumerate(signals, 1):
        wish = Intent(TradeSide.BUY, samples.POOL, samples.MINT, samples.NS, "", signal)
        run.save_decision(samples.decision(number, intent=wish))
        run.save_order(samples.order(number))
        if by_settlement:
            entry = samples.entry(number, 5, order_id=f"o{number:06d}")
            held = samples.position(buys=number)
            run.settle(Settlement(samples.order(number), samples.filled(number), None, (entry,), held))
        else:
            run.save_outcome(samples.filled(number))
    assert told(target) == [(0.0625, "high", 82.5), (None, None, 82.5), (None, "low", 82.5), (None, None, None)]


def test_documents_of_an_older_version_are_read() -> None:
    text = (
        '{"pool":"p","at_ns":"5","side":"long","score":"82.5","strength":"0.825","source":"base",'
        '"reasons":["r"],"mint":null,"name":"X"}'
    )
    signal = load_signal(text)
    assert (signal.q50, signal.regime, signal.size_multiplier, signal.vol_risk) == (None, "", 1.0, None)
    (verdict,) = load_verdicts('[{"policy":"a","passed":true,"text":"t","numbers":{}}]')
    assert verdict.until_ns is None


@pytest.mark.parametrize("accepted", [True, False])
def test_of_names_that_only_decisions_know_the_newest_are_found(run: Run, accepted: bool) -> None:
    for number, name in enumerate(("Old", "New"), 1):
        signal = replace(samples.SIGNAL, pool=name, name=f"{name} / SOL")
        intent = Intent(TradeSide.BUY, name, f"Mint{name}", number, "", signal)
        run.save_decision(samples.decision(number, intent=intent, accepted=accepted))
    assert run.decided.pools_called("old") == [("Old", "MintOld")]
    assert run.decided.pools_called("old", newest=1) == []
    assert run.decided.pools_called("new", newest=1) == [("New", "MintNew")]
