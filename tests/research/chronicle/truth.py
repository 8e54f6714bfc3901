"""Steps of a chronicle against what the accounts of a practice chain held."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pumpswap.research.chronicle.step import Step
from tests.research.chronicle.practice import Practice

__all__ = ["compared"]


def compared(steps: Iterable[Step], made: Practice) -> tuple[int, list[str]]:
    """How many recorded account states are those of the steps, from each pool's first step on; and which are not."""
    last: dict[str, dict[int, Step]] = {}
    for step in steps:
        last.setdefault(step.pool, {})[step.slot] = step
    count, wrong = 0, []
    for pool, states in made.truth.items():
        known = None
        for slot, state in sorted(states.items()):
            known = last.get(pool, {}).get(slot, known)
            if known is None:
                continue
            if known.after is None or msgspec.structs.replace(known.after, slot=slot) != state:
                wrong.append(f"{pool} in slot {slot}")
            else:
                count += 1
    return count, wrong
