"""numpy, which comes with the same extra as polars: bars import it from here, and it says what is missing."""

from __future__ import annotations

from pumpswap.errors import ConfigError

try:
    import numpy as np
    import numpy.typing as npt
except ImportError:
    raise ConfigError("bars need numpy, which is missing", hint="pip install 'pumpswap[data]'") from None

__all__ = ["np", "npt"]
