"""A command on a terminal of its own: questions are asked there, and answered as a person would."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cli.running import environment

__all__ = ["on_a_terminal"]


def on_a_terminal(
    arguments: Sequence[str], answers: Sequence[tuple[str, str]], *, cwd: Path, hidden: str = "", **variables: str
) -> tuple[int, str]:
    """Exit code, and everything that was said. Each answer is typed when its question has been asked once more.

    The question ``hidden`` hides what is typed; a line that came before it does would be thrown away.
    """
    master, terminal = pty.openpty()
    said, seen = b"", 0
    try:
        command = [sys.executable, "-m", "pumpswap", "--no-color", *arguments]
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(**variables),
            start_new_session=True,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        for question, line in answers:
            while (place := said.find(question.encode(), seen)) < 0:
                more = os.read(process.stdout.fileno(), 4_096)
                assert more, said
                said += more
            seen = place + len(question)
            while question == hidden and termios.tcgetattr(terminal)[3] & termios.ECHO:
                time.sleep(0.005)
            os.write(master, f"{line}\n".encode())
        rest, _ = process.communicate(timeout=60)
    finally:
        os.close(master)
        os.close(terminal)
    return process.returncode, (said + rest).decode()
