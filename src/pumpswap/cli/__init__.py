"""The command line. ``pumpswap`` is a click group: it works alone and as a part of another click group.

from pumpswap.cli import pumpswap
host_group.add_command(pumpswap)
"""

from pumpswap.cli.root import main, pumpswap

__all__ = ["main", "pumpswap"]
