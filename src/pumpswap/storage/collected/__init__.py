"""What the collector stores: rows of the host's tables, in the host's own database or in tables like them.

Nothing here assumes a shape: tables, columns and their types are looked up, and only what exists is written.
"""

from pumpswap.storage.collected.market import CollectedMarket, PageResult, Skipped
from pumpswap.storage.collected.opening import open_collected

__all__ = ["CollectedMarket", "PageResult", "Skipped", "open_collected"]
