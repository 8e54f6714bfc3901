"""CurveModule: moves our engine with the quotes of a Nautilus back-test, before anybody hears of them."""

from __future__ import annotations

from typing import Any

from nautilus_trader.backtest.modules import SimulationModule
from nautilus_trader.model.data import InstrumentStatus, QuoteTick
from nautilus_trader.model.enums import MarketStatusAction
from nautilus_trader.model.objects import Money

from pumpswap.errors import LedgerMismatch, UsageError
from pumpswap.nautilus.backtest.client import CurveExecClient
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.shared import claim
from pumpswap.nautilus.config import CurveModuleConfig
from pumpswap.nautilus.constants import SOL
from pumpswap.nautilus.money import lamports_of, money_raw

__all__ = ["CurveModule"]


class CurveModule(SimulationModule):
    """``curve`` None: one of the configuration's source, shared with models of the same source: for a BacktestNode.

    With our execution client (``add_pumpswap_venue``, ``install_client``) the account is reported and only compared.
    Without it, under Nautilus' own exchange with ``CurveFillModel``, the account is squared after every fill: what
    differs by the rounding of a price, by rent and by the cost of failed transactions is adjusted, to the lamport.
    """

    def __init__(self, config: CurveModuleConfig, curve: Curve | None = None) -> None:
        super().__init__(config)
        if curve is None:
            shared = claim(config.source, config.settings_path, "module")
            curve, shared.module = shared.curve, self
        self.curve = curve
        self.client: CurveExecClient | None = None
        self.quotes = 0
        self.adjusted_lamports = 0
        self.adjustments = 0

    def pre_process(self, data: Any) -> None:
        """Called for every tick before anybody else; trades, statuses and bars of the same update move nothing."""
        if type(data) is QuoteTick:
            self.quotes += 1
            self.curve.see(data.instrument_id.symbol.value, data.ts_init)
        elif type(data) is InstrumentStatus and data.action == MarketStatusAction.CLOSE:
            self.curve.land(data.ts_init)
        else:
            return
        if self.client is not None:
            self.client.flush()

    def process(self, ts_now: int) -> None:
        """After every element of data: Nautilus' cash is the wallet's, to the lamport."""
        if self.client is not None:
            self.client.land_due(ts_now)
        account = self.exchange.get_account()
        cash = account.balance_total(SOL)
        difference = self.curve.wallet_lamports - lamports_of(cash)
        if not difference:
            return
        if self.client is not None:
            self.curve.abandon()
            raise LedgerMismatch(
                f"Nautilus' account holds {lamports_of(cash)} lamports, the wallet {self.curve.wallet_lamports}",
                hint="this is a bug of the adapter: keep the data and report it",
            )
        self.adjusted_lamports += difference
        self.adjustments += 1
        self.exchange.adjust_account(Money.from_raw(money_raw(difference, SOL.precision), SOL))

    def log_diagnostics(self, logger: Any) -> None:
        """What was done, into Nautilus' log."""
        self.curve.finish(self.curve.now_ns)
        logger.info(
            f"PumpSwap: {self.quotes} quotes, {self.curve.stepped} updates, {len(self.curve.record.trades)} fills,"
            f" {self.curve.wallet_lamports} lamports in the wallet, run {self.curve.run_id}"
        )

    def reset(self) -> None:
        """A market is replayed once: raises UsageError when anything of it has been."""
        if self.curve.stepped:
            raise UsageError(
                "this market has been replayed already",
                hint="make a new BacktestEngine and a new curve for another run",
            )
