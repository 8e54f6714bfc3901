"""What the page of orders says of time: until a confirmation was seen, in the list and in the percentiles."""

from __future__ import annotations

from pathlib import Path

from pumpswap.app.books import Books
from pumpswap.app.views.orders import execution, orders
from pumpswap.app.views.sight import Sight
from pumpswap.clock import ManualClock
from pumpswap.model import AttemptState
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.storage import samples
from tests.storage.test_attempts import attempt


def test_an_order_took_until_it_was_seen_confirmed(tmp_path: Path) -> None:
    ordered_ns = samples.order(1).created_ns
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("live", 1, 7, {})
        run.save_decision(samples.decision(1))
        run.save_order(samples.order(1))
        run.attempts.add(attempt(1))
        run.attempts.mark("signature-1-1", AttemptState.LANDED, ordered_ns + 1_300_000_000)
        run.save_outcome(samples.filled(1, at_ns=ordered_ns - 400_000_000))  # the whole second of its block
        sight = Sight(Books(database, run, run.header()), Settings(), ManualClock())
        (row,) = orders(sight).rows.items
        assert row.took_ns == 1_300_000_000
        assert execution(sight).landing_ms == {50: 1_300, 95: 1_300, 99: 1_300}
