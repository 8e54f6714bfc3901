"""Database: where the runs of one owner are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import and_, case, func, insert, select

from pumpswap.errors import NotFound, StorageError
from pumpswap.model import Attempt
from pumpswap.storage import migrate
from pumpswap.storage.alerts import Alerts
from pumpswap.storage.backtests import Backtests
from pumpswap.storage.browse import Browse
from pumpswap.storage.change_watch import ChangeWatch
from pumpswap.storage.claim import Claim
from pumpswap.storage.connections import Connections, named_errors
from pumpswap.storage.deliveries import Deliveries
from pumpswap.storage.documents import dump_mapping
from pumpswap.storage.engines import BUSY_MS, make_engine, place_of
from pumpswap.storage.host_alerts import HostAlerts
from pumpswap.storage.host_reader import HostMoment
from pumpswap.storage.ledger_pages import LedgerPages
from pumpswap.storage.memory import Memory
from pumpswap.storage.mutes import Mutes
from pumpswap.storage.pool_points import PoolPoints
from pumpswap.storage.rows import check_integers
from pumpswap.storage.run import Run
from pumpswap.storage.run_header import RunHeader, header_of
from pumpswap.storage.states import HEARTBEAT
from pumpswap.storage.tables import ATTEMPTS, RUNS, STATES

__all__ = ["Database", "open_database"]

_RUNNING_KINDS = ("paper", "live", "simulated", "recorded")


def open_database(target: str | Path, *, busy_ms: int = BUSY_MS) -> Database:
    """Open a SQLite file or a database URL, creating or bringing forward our tables where needed.

    A path makes a SQLite file with the folders above it; ``busy_ms`` is how long somebody's lock on it is waited for.
    Raises ConfigError for a target that this package does not serve; StorageError for a file that is no database, a
    folder that cannot be written, and a database that a newer version has written. Nothing is changed in any of these
    cases.
    """
    engine = make_engine(target, busy_ms=busy_ms)
    where = place_of(engine)
    try:
        with named_errors(f"opening {where}"):
            migrate.upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return Database(Connections(engine), where)


class Database:
    """Runs, and one writer for them. Any number of processes may read while one writes.

    Use as a context, or call ``close``. ``location`` is the path, or the URL without its password.
    """

    def __init__(self, connections: Connections, location: str) -> None:
        self._connections = connections
        self._claims: list[Claim] = []
        self.location = location

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Database({self.location!r})"

    def another(self, *, busy_ms: int) -> Database:
        """The same one through connections of its own: who writes through one waits in no queue of the other's. Close
        it too.
        """
        url = self._connections.engine.url
        is_file = url.get_backend_name() == "sqlite"
        target = Path(str(url.database)) if is_file else url.render_as_string(hide_password=False)
        return Database(Connections(make_engine(target, busy_ms=busy_ms)), self.location)

    def close(self) -> None:
        """Let go of what was claimed, and give all connections back. Harmless when done twice."""
        for claim in self._claims:
            claim.release()
        self._claims.clear()
        self._connections.close()

    @contextmanager
    def other_tables(self) -> Iterator[HostMoment]:
        """What else is in this database, at one moment, as plain rows: a collector may keep its tables here too."""
        with self._connections.reading() as connection:
            yield HostMoment(connection)

    def claim(self, name: str) -> Claim:
        """The sole right to write the books of ``name``, until it is released or this database is closed.

        Raises StorageError when somebody else has it.
        """
        claim = Claim(self._connections.engine, name)
        self._claims.append(claim)
        return claim

    @property
    def alerts(self) -> Alerts:
        """What somebody must know."""
        return Alerts(self._connections)

    @property
    def deliveries(self) -> Deliveries:
        """Messages about alerts."""
        return Deliveries(self._connections)

    @property
    def mutes(self) -> Mutes:
        """What nobody wants to hear of now."""
        return Mutes(self._connections)

    @property
    def host_alerts(self) -> HostAlerts:
        """Alerts where the host shows its own."""
        return HostAlerts(self._connections)

    @property
    def memory(self) -> Memory:
        """What is remembered of no run in particular."""
        return Memory(self._connections)

    @property
    def backtests(self) -> Backtests:
        """Back-tests and searches."""
        return Backtests(self._connections)

    def browse(self, run_id: int) -> Browse:
        """Lists of a run, page by page."""
        return Browse(self._connections, run_id)

    def ledger_pages(self, run_id: int) -> LedgerPages:
        """The ledger of a run, page by page."""
        return LedgerPages(self._connections, run_id)

    def change_watch(self) -> ChangeWatch:
        """Tells whether anything was stored."""
        return ChangeWatch(self._connections)

    def pool_points(self, run_id: int) -> PoolPoints:
        """What the engine of a run saw of the pools."""
        return PoolPoints(self._connections, run_id)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Group writes, as ``Run.batch`` does."""
        with self._connections.writing("the batch"):
            yield

    def start_run(
        self,
        kind: str,
        started_ns: int,
        seed: int | None = None,
        settings: Mapping[str, object] | None = None,
        *,
        wallet: str | None = None,
        network: str | None = None,
    ) -> Run:
        """A new run with empty books. ``settings`` are kept as JSON, so that the run can be repeated.

        ``wallet`` (base58) and ``network`` (genesis hash) belong to live runs: ``open_live`` finds them by both.

        Raises UsageError for settings that are no JSON, StorageError when the database refuses.
        """
        check_integers({"started_ns": started_ns}, "the run")
        values = {
            "kind": kind,
            "started_ns": started_ns,
            "seed": None if seed is None else str(seed),
            "settings": dump_mapping(settings or {}, "the settings of the run"),
            "wallet": wallet,
            "network": network,
        }
        with self._connections.writing("the new run") as connection:
            run_id = connection.execute(insert(RUNS).values(values)).inserted_primary_key
        if run_id is None:
            raise StorageError("the database gave the new run no number", hint="this is a bug in its driver")
        return Run(self._connections, run_id[0])

    def open_live(self, wallet: str, network: str) -> Run | None:
        """The newest live run of a wallet on a network that is not finished; None when there is none."""
        query = (
            select(func.max(RUNS.c.run_id))
            .where(RUNS.c.kind == "live", RUNS.c.finished_ns.is_(None))
            .where(RUNS.c.wallet == wallet, RUNS.c.network == network)
        )
        with self._connections.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else Run(self._connections, found)

    def open_paper(self, name: str = "paper") -> Run | None:
        """The newest run of the kind ``name`` that is not finished: the paper books that go on; None for none."""
        query = select(func.max(RUNS.c.run_id)).where(RUNS.c.kind == name, RUNS.c.finished_ns.is_(None))
        with self._connections.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else Run(self._connections, found)

    def active_run(self) -> Run | None:
        """The unfinished run whose engine said last that it runs, however long ago; None for none."""
        beats = (STATES.c.run_id == RUNS.c.run_id, STATES.c.name == HEARTBEAT)
        query = (
            select(RUNS.c.run_id)
            .join(STATES, and_(*beats))
            .where(RUNS.c.kind.in_(_RUNNING_KINDS), RUNS.c.finished_ns.is_(None))
            .order_by(STATES.c.updated_ns.desc(), RUNS.c.run_id.desc())
            .limit(1)
        )
        with self._connections.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else Run(self._connections, found)

    def beating_runs(self, since_ns: int) -> tuple[RunHeader, ...]:
        """Unfinished runs whose engine has said since then that it runs, the newest run first."""
        beats = (STATES.c.run_id == RUNS.c.run_id, STATES.c.name == HEARTBEAT, STATES.c.updated_ns >= since_ns)
        query = select(RUNS).join(STATES, and_(*beats))
        query = query.where(RUNS.c.kind.in_(_RUNNING_KINDS), RUNS.c.finished_ns.is_(None))
        return tuple(self._connections.all_rows(query.order_by(RUNS.c.run_id.desc()), header_of))

    def newest_runs(self, most: int) -> tuple[RunHeader, ...]:
        """So many runs, the newest first."""
        return tuple(self._connections.all_rows(select(RUNS).order_by(RUNS.c.run_id.desc()).limit(most), header_of))

    def count_runs(self) -> int:
        """How many there are."""
        with self._connections.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(RUNS)).scalar_one())

    def shown_run(self) -> Run | None:
        """The newest live run that goes on, else the newest; a back-test in NautilusTrader (the kind ``nautilus``) only
        where there is nothing else: it must not stand in place of real books. None where there is none.
        """
        goes_on = and_(RUNS.c.kind == "live", RUNS.c.finished_ns.is_(None))
        rank = case((goes_on, 0), (RUNS.c.kind == "nautilus", 2), else_=1)
        query = select(RUNS.c.run_id).order_by(rank, RUNS.c.run_id.desc()).limit(1)
        with self._connections.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else Run(self._connections, found)

    def attempt(self, signature: str) -> tuple[Attempt, int, str] | None:
        """The transaction of ours with this signature, its run, and the status of its order; None for any other."""
        with self._connections.reading() as connection:
            run_id = connection.execute(select(ATTEMPTS.c.run_id).where(ATTEMPTS.c.signature == signature)).scalar()
        if run_id is None:
            return None
        found = Run(self._connections, run_id).attempts.by_signature(signature)
        return None if found is None else (found[0], run_id, found[1])

    def runs(self) -> tuple[RunHeader, ...]:
        """All runs, oldest first. Raises StorageError when they cannot be read."""
        return tuple(self._connections.rows(select(RUNS).order_by(RUNS.c.run_id), header_of))

    def run(self, run_id: int) -> Run:
        """The run with this number. Raises NotFound when there is none."""
        check_integers({"run_id": run_id}, "the run")
        with self._connections.reading() as connection:
            found = connection.execute(select(RUNS.c.run_id).where(RUNS.c.run_id == run_id)).scalar()
        if found is None:
            raise NotFound(f"there is no run {run_id} in {self.location}", hint="list the runs to find its number")
        return Run(self._connections, run_id)
