"""The host's own analyser, where it is installed. Imports nothing of the host until it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from pumpswap.errors import ConfigError
from pumpswap.signals.pumpswap_analyzer import BaseAnalyzer

__all__ = ["HOST_MODULE", "host_analyzer"]

HOST_MODULE = "gecko_terminal_collector.analysis.signal_analyzer"
_CLASS = "NewPoolsSignalAnalyzer"
_METHOD = "analyze_pool_signals"


def host_analyzer(config: Mapping[str, object] | None = None) -> BaseAnalyzer:
    """The host's NewPoolsSignalAnalyzer, to be used as ``PumpSwapSignalAnalyzer(base=host_analyzer(config))``.

    Its numbers are those of ours; this is for hosts that have changed theirs. Raises ConfigError when the host is not
    installed, cannot be imported, or has no such class.
    """
    try:
        module = import_module(HOST_MODULE)
    except ModuleNotFoundError as missing:
        # A module that the host itself lacks is another fault than a host that is not there.
        lacks = "" if HOST_MODULE.startswith(missing.name or "?") else f": it lacks {missing.name}"
        raise ConfigError(
            f"the host's analyser cannot be imported from {HOST_MODULE}{lacks}",
            hint="install the collector beside pumpswap, or leave base out: our own gives the same numbers",
        ) from None
    except ImportError as broken:
        raise ConfigError(
            f"the host's analyser cannot be imported: {broken}", hint="check the version of the collector"
        ) from None
    made = getattr(module, _CLASS, None)
    if not callable(made):
        raise ConfigError(f"{HOST_MODULE} has no class {_CLASS}", hint="check the version of the collector")
    analyzer = made(dict(config) if config is not None else None)
    if not callable(getattr(analyzer, _METHOD, None)):
        raise ConfigError(f"the host's {_CLASS} has no method {_METHOD}", hint="check the version of the collector")
    return cast(BaseAnalyzer, analyzer)
