"""Signed transactions in the books: one open one an order, never back, and nothing lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pumpswap.chain.attempts import AttemptStore
from pumpswap.errors import AmountOutOfRange, StorageError
from pumpswap.model import Attempt, AttemptState, Denied, Unknown
from pumpswap.storage import Database, Run, migrate, open_database
from pumpswap.storage.engines import make_engine
from tests.storage import samples, stranger

GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"


def attempt(number: int = 1, order: int = 1, **changes: Any) -> Attempt:
    fields: dict[str, Any] = {
        "order_id": f"o{order:06d}",
        "number": number,
        "signature": f"signature-{order}-{number}",
        "raw": bytes(range(256)),
        "blockhash": f"hash{number}",
        "last_valid_block_height": 400_000_150 + number,
        "created_ns": samples.NS,
        "created_slot": 425_000_000,
        "compute_unit_limit": 120_000,
        "compute_unit_price_micro_lamports": 15_000 * number,
        "tip_lamports": 1_000,
    }
    return Attempt(**{**fields, **changes})


@pytest.fixture
def ordered(run: Run) -> Run:
    for number in (1, 2):
        run.save_decision(samples.decision(number))
        run.save_order(samples.order(number))
    return run


def test_an_attempt_comes_back_as_it_was_stored(ordered: Run) -> None:
    store: AttemptStore = ordered.attempts
    store.add(attempt())
    assert store.of_order("o000001") == (attempt(),)
    assert store.unresolved() == (attempt(),)
    assert store.of_order("o000002") == ()


def test_states_go_forward_and_say_when_and_why(ordered: Run) -> None:
    store = ordered.attempts
    store.add(attempt())
    store.mark("signature-1-1", AttemptState.SENT, 5)
    assert store.unresolved() == (replace(attempt(), state=AttemptState.SENT),)
    store.mark("signature-1-1", AttemptState.LANDED, 6, "slot 7")
    landed = replace(attempt(), state=AttemptState.LANDED, resolved_ns=6, note="slot 7")
    assert store.of_order("o000001") == (landed,)
    assert store.unresolved() == ()
    store.mark("signature-1-1", AttemptState.LANDED, 9, "again")
    assert store.of_order("o000001") == (landed,)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (AttemptState.SENT, AttemptState.SIGNED),
        (AttemptState.LANDED, AttemptState.EXPIRED),
        (AttemptState.EXPIRED, AttemptState.LANDED),
        (AttemptState.EXPIRED, AttemptState.SENT),
        (AttemptState.LANDED, AttemptState.SIGNED),
    ],
)
def test_states_never_go_back_or_aside(ordered: Run, first: AttemptState, then: AttemptState) -> None:
    store = ordered.attempts
    store.add(attempt())
    store.mark("signature-1-1", first, 5)
    with pytest.raises(StorageError, match=f"is {first.value} and cannot become {then.value}"):
        store.mark("signature-1-1", then, 6)
    assert store.of_order("o000001")[0].state is first


@pytest.mark.parametrize("state", [AttemptState.SIGNED, AttemptState.SENT, AttemptState.LANDED])
def test_p03_a_second_attempt_is_refused_while_the_first_is_not_proven_absent(
    ordered: Run, state: AttemptState
) -> None:
    store = ordered.attempts
    store.add(attempt())
    store.mark("signature-1-1", state, 5)
    with pytest.raises(StorageError, match="may land or has landed"):
        store.add(attempt(2))
    assert len(store.of_order("o000001")) == 1
    store.add(attempt(1, order=2))  # another order is free


def test_after_proven_expiry_the_next_attempt_may_be_stored(ordered: Run) -> None:
    store = ordered.attempts
    store.add(attempt())
    store.mark("signature-1-1", AttemptState.EXPIRED, 5)
    with pytest.raises(StorageError, match="attempt 3 came where 2 is next"):
        store.add(attempt(3))
    store.add(attempt(2))
    assert [stored.number for stored in store.of_order("o000001")] == [1, 2]
    assert store.unresolved() == (attempt(2),)


def test_the_database_itself_refuses_a_second_open_attempt(ordered: Run, target: str | Path) -> None:
    ordered.attempts.add(attempt())
    columns = "run_id, order_id, number, signature, raw, blockhash, last_valid_block_height, created_ns, created_slot"
    columns += ", compute_unit_limit, compute_unit_price_micro_lamports, tip_lamports, state, note"
    values = "1, 'o000001', 2, 's', '', 'h', 1, 1, 1, 1, 1, 0, 'sent', ''"
    with pytest.raises(stranger.INTEGRITY_ERRORS, match=r"UNIQUE|unique"):
        stranger.execute(target, f"INSERT INTO pumpswap_attempts ({columns}) VALUES ({values})")


def test_a_signature_is_stored_once(ordered: Run) -> None:
    ordered.attempts.add(attempt())
    with pytest.raises(StorageError, match="contradicts the books"):
        ordered.attempts.add(attempt(1, order=2, signature="signature-1-1"))


def test_an_attempt_needs_a_stored_open_order(ordered: Run) -> None:
    with pytest.raises(StorageError, match="o000009 is not stored"):
        ordered.attempts.add(attempt(1, order=9))
    ordered.save_outcome(Unknown("o000001", 5, "s", 300))
    ordered.attempts.add(attempt())
    ordered.save_outcome(Denied("o000002", 5, "expired", "all transactions expired"))
    with pytest.raises(StorageError, match="o000002 has ended as denied"):
        ordered.attempts.add(attempt(1, order=2))


def test_only_signed_attempts_are_added_and_only_stored_ones_marked(ordered: Run) -> None:
    with pytest.raises(StorageError, match="came as sent"):
        ordered.attempts.add(attempt(state=AttemptState.SENT))
    with pytest.raises(StorageError, match="is not stored"):
        ordered.attempts.mark("nothing", AttemptState.SENT, 1)
    with pytest.raises(AmountOutOfRange):
        ordered.attempts.add(attempt(tip_lamports=2**63))


def test_attempts_belong_to_their_run(database: Database, ordered: Run) -> None:
    ordered.attempts.add(attempt())
    other = database.start_run("test", 2)
    assert other.attempts.unresolved() == ()
    with pytest.raises(StorageError, match="is not stored"):
        other.attempts.mark("signature-1-1", AttemptState.SENT, 1)
    with pytest.raises(StorageError, match="is not stored"):
        other.attempts.add(attempt())


def test_p23_open_attempts_are_there_after_a_restart(ordered: Run, target: str | Path) -> None:
    ordered.attempts.add(attempt())
    ordered.attempts.mark("signature-1-1", AttemptState.SENT, 5)
    with open_database(target) as again:
        assert again.run(ordered.run_id).attempts.unresolved() == (replace(attempt(), state=AttemptState.SENT),)


def test_the_open_live_run_of_a_wallet_and_a_network_is_found_again(database: Database) -> None:
    assert database.open_live("wallet", GENESIS) is None
    first = database.start_run("live", 1, wallet="wallet", network=GENESIS)
    second = database.start_run("live", 2, wallet="wallet", network=GENESIS)
    database.start_run("live", 3, wallet="other", network=GENESIS)
    database.start_run("live", 3, wallet="wallet", network="devnet")
    database.start_run("paper", 4, wallet="wallet", network=GENESIS)
    found = database.open_live("wallet", GENESIS)
    assert found is not None
    assert found.run_id == second.run_id
    assert (found.header().wallet, found.header().network) == ("wallet", GENESIS)
    second.finish(9, {})
    found = database.open_live("wallet", GENESIS)
    assert found is not None
    assert found.run_id == first.run_id
    first.finish(9, {})
    assert database.open_live("wallet", GENESIS) is None


def test_books_of_the_first_version_are_brought_forward_with_all_that_is_in_them(target: str | Path) -> None:
    engine = make_engine(target)
    migrate.upgrade(engine, "0001")
    engine.dispose()
    stranger.execute(target, "INSERT INTO pumpswap_runs (kind, started_ns, settings) VALUES ('demo', 7, '{\"a\": 1}')")
    with open_database(target) as database:
        (header,) = database.runs()
        assert (header.kind, header.started_ns, header.settings) == ("demo", 7, {"a": 1})
        assert (header.wallet, header.network) == (None, None)
        assert database.run(header.run_id).attempts.unresolved() == ()
