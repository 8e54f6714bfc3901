"""The executor of the plan: signals as a host's code has them, answers as it reads them."""

from pumpswap.sdk.executor.answers import ExecutionResult
from pumpswap.sdk.executor.answers_table import ANSWERS, Answer, Retry, Status
from pumpswap.sdk.executor.config import HostConfig, settings_of_config
from pumpswap.sdk.executor.executor import PumpSwapTradingExecutor
from pumpswap.sdk.executor.pool_states import BookStates, ChainStates, PoolStates
from pumpswap.sdk.executor.sizes import PositionSize

__all__ = [
    "ANSWERS",
    "Answer",
    "BookStates",
    "ChainStates",
    "ExecutionResult",
    "HostConfig",
    "PoolStates",
    "PositionSize",
    "PumpSwapTradingExecutor",
    "Retry",
    "Status",
    "settings_of_config",
]
