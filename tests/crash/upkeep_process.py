"""Does one chore of the database again and again until it is killed; each time that it is done, a line is printed.

    python -m tests.crash.upkeep_process backup   DATABASE FILE
    python -m tests.crash.upkeep_process restore  DATABASE FILE FILE    one after the other, each replacing the other
    python -m tests.crash.upkeep_process migrate  DATABASE              back to 0002 and forward

Run by upkeep_kills.py.
"""

from __future__ import annotations

import sys
from itertools import cycle
from pathlib import Path

from pumpswap.storage.maintenance import downgrade, restore, upgrade, write_backup
from tests.storage import samples


def main(chore: str, target: str, *files: str) -> None:
    for file in cycle(files or ("",)):
        if chore == "backup":
            write_backup(target, Path(file), samples.NS)
        elif chore == "restore":
            restore(target, Path(file), replace=True)
        else:
            downgrade(target, "0002")
            upgrade(target)
        print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
