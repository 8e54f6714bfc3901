"""The policy as a state machine, judged by somebody who only reads its messages.

Whatever comes, and whenever: in the end the last word that he has read about a matter is the last that was said about
it, and what is critical is withheld only while it is what he has read last.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pumpswap.alerts.delivery.message import Message, line_of
from pumpswap.alerts.delivery.policy import is_muted
from pumpswap.alerts.delivery.state import DeliveryState
from pumpswap.model import Alert, AlertLevel, Mute
from tests.alerts.delivery.samples import CRITICAL, SECOND, START, Desk

TOPICS = ("feed", "control", "state")  # the last two tell of one thing
MUTE = Mute("feed", "", 2**62, 0, "me")
TITLE = re.compile(r"\[\w+\] ([a-z ]+)")
SAID = re.compile(r"(xx|zz): ((info|warning|error|critical) (?:up|down))")
LINE = re.compile(rf"• (earlier, )?(?:error, |critical, )?({'|'.join(TOPICS)}): {SAID.pattern}")


def alert_of(topic: str, subject: str, text: str, number: int = 0) -> Alert:
    """Its text says its level, which a digest does not always say."""
    return Alert(START + number, AlertLevel(text.split()[0]), topic, subject, text, number)


class Reader:
    """``known`` is what was read last, by matter: what it said. Messages are parsed as they are shown."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def read(self, message: Message) -> None:
        if not message.body.startswith("• "):
            title, found = TITLE.fullmatch(message.title), SAID.match(message.body)
            assert title and found, message
            self._learn(alert_of(title[1], found[1], found[2]))
            return
        before, now = set(), set()
        for line in message.body.splitlines()[:-1]:
            if line.startswith("… and "):  # repeats of what was told already
                continue
            found = LINE.match(line)
            assert found, line
            alert = alert_of(found[2], found[3], found[4])
            if found[1]:
                before.add(line_of(alert).matter)
            else:
                assert line_of(alert).matter not in now
                now.add(line_of(alert).matter)
                self._learn(alert)
        assert before <= now  # what held earlier is never told without what holds now

    def _learn(self, alert: Alert) -> None:
        self.known[line_of(alert).matter] = line_of(alert).said


# Few enough that every digest has room for all of them.
_texts = st.sampled_from(["info up", "warning down", "critical down"])
_said = st.one_of(
    st.tuples(st.just("feed"), st.sampled_from(["xx", "zz"]), _texts),
    st.tuples(st.sampled_from(["control", "state"]), st.just("xx"), _texts),
)


class PolicyMachine(RuleBasedStateMachine):
    @initialize(
        burst=st.integers(1, 3),
        repeat=st.sampled_from([0, 60, 900]),
        is_quiet=st.booleans(),
        least=st.sampled_from(["info", "warning"]),
    )
    def begin(self, burst: int, repeat: int, is_quiet: bool, least: str) -> None:
        hours = {"quiet_from": "15:00", "quiet_until": "18:00"} if is_quiet else {}
        self.desk = Desk(burst=burst, repeat_seconds=repeat, channel={"least": least}, **hours)
        self.reader, self.number, self.wanted = Reader(), 0, 0
        self.mutes: list[Mute] = []
        self.last: dict[str, str] = {}

    @rule(said=st.lists(_said, min_size=1, max_size=4))
    def tell(self, said: list[tuple[str, str, str]]) -> None:
        for topic, subject, text in said:
            self.number += 1
            self._tell(alert_of(topic, subject, text, self.number))

    def _tell(self, alert: Alert) -> None:
        line, is_wanted = line_of(alert), self._is_wanted(alert)
        self.wanted += is_wanted
        read_before = self.reader.known.get(line.matter)
        self._look(0, alert)
        if not is_wanted:
            return
        self.last[line.matter] = line.said
        if alert.level is CRITICAL and line.said not in (read_before, self.reader.known.get(line.matter)):
            waits = self.desk.state.urgent
            assert waits is not None and line.said in waits.lines
            assert waits.due_ns <= self.desk.now_ns + 300 * SECOND

    @rule(seconds=st.sampled_from([5, 20, 55, 301, 901, 20_000]))
    def wait(self, seconds: int) -> None:
        self._look(seconds)

    @rule()
    def restart(self) -> None:
        self.desk.state = DeliveryState.of(DeliveryState({"x": self.desk.state}).document()).channels["x"]

    @precondition(lambda self: not self.mutes)
    @rule()
    def mute(self) -> None:
        self.mutes = [MUTE]

    @precondition(lambda self: self.mutes)
    @rule()
    def unmute(self) -> None:
        self.mutes = []

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        sent = len(self.desk.sent)
        self.desk.until_quiet()
        for message in self.desk.sent[sent:]:
            self.reader.read(message)
        assert self.desk.told == self.wanted
        assert self.reader.known == self.last

    def _look(self, seconds: int, *alerts: Alert) -> None:
        for message in self.desk.after(seconds, alerts, self.mutes):
            self.reader.read(message)
        assert self.desk.told + self.desk.waiting == self.wanted

    def _is_wanted(self, alert: Alert) -> bool:
        return self.desk.policy._wants(alert) and not is_muted(alert, self.mutes)


TestPolicyMachine = PolicyMachine.TestCase
