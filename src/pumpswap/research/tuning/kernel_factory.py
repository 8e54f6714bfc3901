"""KernelFactory: trials as machine code, and the engine for what is handed over, made only when that happens."""

from __future__ import annotations

import pickle
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np

from pumpswap.errors import UsageError
from pumpswap.research.chronicle.step import StepTimes
from pumpswap.research.kernel.layout import Columns
from pumpswap.research.tuning.engine_runner import EngineFactory
from pumpswap.research.tuning.history import HeldHistory
from pumpswap.research.tuning.trials import Params, Split, TrialResult, TrialRunner

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KernelFactory", "PackedFactory", "packed"]


class PackedFactory(msgspec.Struct, frozen=True):
    """An engine's factory whose history travels packed: a cluster keeps one copy of the bytes on each machine, and only
    who opens it unpacks them.
    """

    base: EngineFactory
    history: NDArray[np.uint8]

    def open(self) -> TrialRunner:
        """As of ``RunnerFactory``."""
        history = cast(HeldHistory, pickle.loads(self.history.data))
        return msgspec.structs.replace(self.base, history=history).open()


class KernelFactory(msgspec.Struct, frozen=True):
    """``folder`` holds columns that all processes of a machine map into memory; ``columns`` are there already, as on a
    cluster, whose store shares them. ``engine`` is opened when a trial is handed over, and not before.
    """

    engine: PackedFactory | EngineFactory
    slots: StepTimes
    columns: Columns | None = None
    folder: Path | None = None

    def open(self) -> TrialRunner:
        """As of ``RunnerFactory``. Raises ConfigError without numba, UsageError without columns."""
        from pumpswap.research.kernel.support import require_numba

        require_numba()
        from pumpswap.research.kernel.trials import KernelRunner

        columns = self.columns
        if columns is None:
            if self.folder is None:
                raise UsageError("no columns for the kernel", hint="give columns or a folder with them")
            columns = Columns.open(self.folder)
        base = self.engine.base if isinstance(self.engine, PackedFactory) else self.engine
        return KernelRunner(base.spec, base.settings, columns, self.slots, _Late(self.engine))


def packed(factory: EngineFactory, history: HeldHistory) -> PackedFactory:
    """For other machines: they do not have our files."""
    told = np.frombuffer(pickle.dumps(history, protocol=pickle.HIGHEST_PROTOCOL), dtype=np.uint8)
    return PackedFactory(msgspec.structs.replace(factory, open_history=None), told)


class _Late:
    """A runner that is made when the first trial needs it."""

    def __init__(self, factory: PackedFactory | EngineFactory) -> None:
        self._factory = factory

    @cached_property
    def _runner(self) -> TrialRunner:
        return self._factory.open()

    def run(self, number: int, params: Params, split: Split) -> TrialResult:
        """As of ``TrialRunner``."""
        return self._runner.run(number, params, split)
