"""Run the long parts and tell what they found, as lines of JSON.

python -m tests.nautilus.long --seed 7                 all of them
python -m tests.nautilus.long --seed 7 comparisons     one
"""

from __future__ import annotations

import argparse
import json
import traceback

from tests.nautilus.long.comparisons import COMPARISONS
from tests.nautilus.long.node_kills import NODE_KILLS
from tests.nautilus.long.part import Found

PARTS = (COMPARISONS, NODE_KILLS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*(part.name for part in PARTS), []])
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    for part in PARTS:
        if options.parts and part.name not in options.parts:
            continue
        try:
            found = part.run(options.seed, lambda done, of: _tell(done=done, of=of))
        except Exception:  # what the other parts find is not lost
            found = Found({}, failures=[f"{part.name}: {traceback.format_exc()}"])
        _tell(part=part.name, figures=found.figures, table=found.table, failures=found.failures, notes=found.notes)
    return 0


def _tell(**told: object) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
