"""A hand on the running engine from another terminal: commands are stored, taken by it, and answered in their row."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pumpswap.app.books import Books, Held, held_positions, open_store
from pumpswap.clock import NS_PER_SECOND, Clock, SystemClock
from pumpswap.engine.trading_switch import LOWERING_VERBS, STATE_VERBS, SWITCH, turned, words_of
from pumpswap.errors import NotRunning, StorageError, UsageError
from pumpswap.execution.live_books import LIVE
from pumpswap.model import (
    Command,
    CommandStatus,
    CommandVerb,
    Decision,
    Heartbeat,
    Proposal,
    ProposalStatus,
    TradingState,
    Verdict,
)
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run
from pumpswap.storage.run_header import RunHeader

__all__ = ["Given", "RemoteControl", "Waiting", "beat_is_fresh", "open_control", "origin_of_process", "running_runs"]

PATIENCE_SECONDS = 10.0  # how long an answer is waited for
_LOOK_SECONDS = 0.1
_HOLDS = "no engine runs: the next start honours it, and before it whoever trades with these books by hand"
_BEATS = 5  # a heartbeat older than so many of them is that of a process that is gone, or hangs

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Given:
    """A command and what became of it. ``is_running``: an engine has taken it; else only the word is stored.
    ``state`` is what is set now.
    """

    command: Command
    is_running: bool
    state: TradingState

    @property
    def is_done(self) -> bool:
        """Whether it was done."""
        return self.command.status is CommandStatus.DONE


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal with the decision behind it. ``impact`` is what the gate said of its price impact then."""

    proposal: Proposal
    decision: Decision | None
    impact: Verdict | None
    seconds_left: int


def origin_of_process() -> str:
    """``user@host process 4711``: who commands, for the record."""
    return f"{_user()}@{socket.gethostname()} process {os.getpid()}"


def beat_is_fresh(beat: Heartbeat | None, settings: Settings, now_ns: int) -> bool:
    """Whether an engine that beat so is running now."""
    return beat is not None and not beat.stopping and beat.at_ns >= _oldest_ns(settings, now_ns)


def running_runs(database: Database, settings: Settings, now_ns: int) -> tuple[RunHeader, ...]:
    """The runs that engines keep now: live ones first, then the newest. Which of two comes first never changes with
    their heartbeats: what somebody looks at, or commands, stays the same.
    """
    found = [
        header
        for header in database.beating_runs(_oldest_ns(settings, now_ns))
        if beat_is_fresh(database.run(header.run_id).states.heartbeat(), settings, now_ns)
    ]
    return tuple(sorted(found, key=lambda header: (header.kind != LIVE, -header.run_id)))


def _oldest_ns(settings: Settings, now_ns: int) -> int:
    """When the heartbeat of an engine that runs now can have been at the earliest."""
    return now_ns - _BEATS * settings.run.heartbeat_seconds * NS_PER_SECOND


@contextmanager
def open_control(
    settings: Settings, run_id: int | None = None, *, clock: Clock | None = None, sleep: Sleep = time.sleep
) -> Iterator[RemoteControl]:
    """The hand on run ``run_id``, or on the run that an engine keeps now (``running_runs``: the first of them); where
    none does, on the newest live run, or the paper run that was kept last.

    Raises NotRunning where no engine ever ran, NotFound for a number that no run has.
    """
    with open_store(settings) as database:
        clock = clock or SystemClock()
        run = None if database is None else _chosen(database, run_id, settings, clock.now_ns())
        if database is None or run is None:
            raise NotRunning(_nobody(database), hint="start one: pumpswap run")
        yield RemoteControl(database, run, settings, clock, sleep)


def _nobody(database: Database | None) -> str:
    """Why there is no run to command."""
    headers = () if database is None else database.runs()
    if not headers:
        return "no engine runs, and there are no books yet"
    return f"no engine runs: run {headers[-1].run_id} is over"


def _chosen(database: Database, run_id: int | None, settings: Settings, now_ns: int) -> Run | None:
    if run_id is not None:
        return database.run(run_id)
    running = running_runs(database, settings, now_ns)
    if running:
        return database.run(running[0].run_id)
    # Nobody runs: where money is traded by hand, what is set is meant for it.
    live = [header.run_id for header in database.runs() if header.kind == LIVE and header.finished_ns is None]
    return database.run(live[-1]) if live else database.active_run() or database.open_paper()


class RemoteControl:
    """Commands for one run; see ``open_control``."""

    def __init__(self, database: Database, run: Run, settings: Settings, clock: Clock, sleep: Sleep) -> None:
        self.run = run
        self.books = Books(database, run, run.header())
        self._settings, self._clock, self._sleep = settings, clock, sleep

    # ------------------------------------------------------------------------------------------ what there is

    def heartbeat(self) -> Heartbeat | None:
        """The engine's last word about itself."""
        return self.run.states.heartbeat()

    def is_running(self) -> bool:
        """Whether an engine keeps this run now."""
        return beat_is_fresh(self.heartbeat(), self._settings, self._clock.now_ns())

    def held(self) -> Sequence[Held]:
        """What is held, as it was valued last."""
        rules = self.books.exit_rules(self._settings)
        return held_positions(self.books, rules, self._clock.now_ns())

    def waiting(self) -> Sequence[Waiting]:
        """Proposals that wait for a person, oldest first."""
        now = self._clock.now_ns()
        found = []
        for proposal in self.run.proposals.waiting():
            stored = self.run.decided.get(proposal.decision_id)
            decision = None if stored is None else stored.decision
            verdicts = () if decision is None else decision.verdicts
            impact = next((verdict for verdict in verdicts if verdict.policy == "price impact"), None)
            left = max(proposal.expires_ns - now, 0) // NS_PER_SECOND
            found.append(Waiting(proposal, decision, impact, left))
        return tuple(found)

    # ------------------------------------------------------------------------------------------ commands

    def require_running(self, what: str, hint: str = "") -> None:
        """Raises NotRunning, with what can be done by hand, when nobody is there who could do it."""
        beat = self.heartbeat()
        if beat_is_fresh(beat, self._settings, self._clock.now_ns()):
            return
        if beat is None:
            last = "none ever has"
        elif beat.stopping:
            last = "it has been stopped"
        else:
            last = f"its last heartbeat is {(self._clock.now_ns() - beat.at_ns) // NS_PER_SECOND} s old"
        raise NotRunning(
            f"no engine keeps run {self.run.run_id} now ({last}), so nobody can {what}", hint=hint or self._hint()
        )

    def give(
        self, verb: CommandVerb, arguments: Mapping[str, str] | None = None, *, origin: str | None = None
    ) -> Given:
        """Have a command obeyed, and wait for the answer. ``origin`` says who asks, where that is not this process.

        What lowers the trading state is stored as a word of its own at once: it holds for whoever trades with these
        books, whether an engine answers or not. So is a resume where no engine runs. Raises NotRunning for everything
        else then, and when the engine does not answer in time.
        """
        command = Command(self._clock.now_ns(), verb, origin or origin_of_process(), dict(arguments or {}))
        is_running = self.is_running()
        if not is_running and verb not in STATE_VERBS:
            self.require_running(verb.value)
        number = self._give(command, is_running=is_running)
        answered = self._await_answer(number) if is_running else self.run.commands.get(number)
        return Given(answered, is_running, self._state())

    def _give(self, command: Command, *, is_running: bool) -> int:
        """Word and command are stored together."""
        states = self.run.states
        with self.run.batch():
            if command.verb in LOWERING_VERBS or not is_running:
                try:
                    word = turned(states.switch(to_change=True), command.verb, command.origin)
                except UsageError as refused:
                    answer = f"{refused.what}: {refused.hint}"
                    return self.run.commands.add(_ended(command, CommandStatus.FAILED, answer))
                states.set_switch(word, command.at_ns)
                command = replace(command, arguments={**command.arguments, SWITCH: str(word.number)})
            if not is_running:
                command = _ended(command, CommandStatus.DONE, f"{words_of(command.verb)} ({_HOLDS})")
            return self.run.commands.add(command)

    def answer(
        self, decision_ids: Sequence[str], status: ProposalStatus, *, origin: str | None = None
    ) -> Sequence[Proposal]:
        """Approve or decline proposals, and wait until the engine has acted on them: what became of each. ``origin``
        says who does, where that is not this process.

        Raises NotRunning without an engine, NotFound and StorageError for proposals that do not wait.
        """
        self.require_running("act on proposals")
        who = origin or origin_of_process()
        with self.run.batch():
            for decision_id in decision_ids:
                self.run.proposals.decide(decision_id, status, who, self._clock.now_ns())
        for _ in self._looks():
            waiting = {proposal.decision_id for proposal in self.run.proposals.decided()}
            if waiting.isdisjoint(decision_ids):
                break
        return tuple(self.run.proposals.get(decision_id) for decision_id in decision_ids)

    # ------------------------------------------------------------------------------------------ helpers

    def _looks(self) -> Iterator[None]:
        for _ in range(round(PATIENCE_SECONDS / _LOOK_SECONDS)):
            yield
            self._sleep(_LOOK_SECONDS)

    def _await_answer(self, number: int) -> Command:
        for _ in self._looks():
            command = self.run.commands.get(number)
            if command.status is not CommandStatus.WAITING:
                return command
        command = self.run.commands.get(number)
        if command.status is not CommandStatus.WAITING:
            return command
        if command.verb in LOWERING_VERBS:
            raise NotRunning(
                f"the engine has not answered for {PATIENCE_SECONDS:g} s; what you have set is stored, and waits for "
                "the engine and for its next start",
                hint="end its process if it hangs; until then assume that it goes on as before",
            )
        self._withdraw(command)
        raise NotRunning(
            f"the engine has not answered for {PATIENCE_SECONDS:g} s, and the command was taken back",
            hint=f"end its process if it hangs; then {self._hint()}",
        )

    def _withdraw(self, command: Command) -> None:
        text = "taken back: nobody has answered in time"
        try:
            self.run.commands.finish(command.number, CommandStatus.FAILED, text, self._clock.now_ns())
        except StorageError:
            answered = self.run.commands.get(command.number)
            if answered.status is CommandStatus.WAITING:
                raise  # not stored; else the engine has answered in this very moment

    def _state(self) -> TradingState:
        return self.run.states.switch().trading

    def _hint(self) -> str:
        if self.books.goes_on:
            return "sell by hand: pumpswap positions close POOL --live"
        return "start it with pumpswap run; play money that nobody trades is not at risk"


def _ended(command: Command, status: CommandStatus, answer: str) -> Command:
    return replace(command, status=status, answer=answer, done_ns=command.at_ns)


def _user() -> str:
    try:
        import pwd
    except ImportError:  # no such table on Windows
        return "somebody"
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return f"user {os.getuid()}"
