"""polars, which is an extra: modules that need it import it from here, and say what is missing."""

from __future__ import annotations

from pumpswap.errors import ConfigError

try:
    import polars as pl
except ImportError:
    raise ConfigError("the lake needs polars, which is missing", hint="pip install 'pumpswap[data]'") from None

__all__ = ["pl"]
