"""The last line of defence: whatever a stranger has called his coin, no messenger obeys it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pumpswap.alerts.delivery.harmless import harmless

# What Telegram makes a link or a button of by itself (its clients are public): a name of letters after a dot, a word
# after a slash that neither follows a letter nor is followed by another slash.
LINK = re.compile(r"\S\.[^\W\d_]+(?!\w)")
COMMAND = re.compile(r"(?<![\w/])/\w+(?![\w/])")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil.com", "evil․com"),
        ("t.me/win, www.evil.co.uk", "t․me/win, www․evil․co․uk"),
        ("кошелёк.рф and evil.भारत", "кошелёк․рф and evil․भारत"),
        ("https://evil.com/x", "https:／／evil․com/x"),
        ("me@evil.com", "me＠evil․com"),
        ("/close_all now (/stop) ‹/panic›", "／close_all now (／stop) ‹／panic›"),
        ("</script>", "‹／script›"),
    ],
)
def test_no_link_and_no_command_is_left(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "bought 1,772,835 DOORBELL for 1.000005 SOL, 12.5 %.",
        "risk.max_open_positions: 3 → 4",
        "the end. Another one.",
        "/var/log/pumpswap is full",
        "TEST / SOL and/or 5/6",
        "two\nlines",
    ],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(st.text(alphabet=st.sampled_from("ab1_./-@<> \n:|~`](é"), max_size=30))
@example("a.b.c")
@example("//a/b /c")
def test_nothing_is_left_that_is_obeyed(text: str) -> None:
    shown = harmless(text)
    assert not LINK.search(shown) and not COMMAND.search(shown)
    for sign in ("<", ">", "@", "://", "](", "||", "~~", "```"):
        assert sign not in shown
    assert harmless(shown) == shown
