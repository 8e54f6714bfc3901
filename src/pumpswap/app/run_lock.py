"""RunLock, as executors take it too: see ``sdk.run_lock``."""

from pumpswap.sdk.run_lock import RunLock

__all__ = ["RunLock"]
