"""Families: every figure that is served, with its name, its labels and a line of help, in one table."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Families"]

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
_BPS = (-200, -100, -50, -20, -10, 0, 10, 20, 50, 100, 200, 500, 1_000, 2_000)


class Families:
    """Amounts are lamports, times seconds; ``_total`` counts since the process began unless its help says otherwise."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(f"pumpswap_{name}", about, labels, registry=registry)

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"pumpswap_{name}", about, labels, registry=registry)

        def histogram(name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"pumpswap_{name}", about, labels, buckets=buckets, registry=registry)

        self.run = gauge("run_info", "Always 1: which run this is, and what runs it", "run", "kind", "mode", "version")
        # What is heard.
        self.updates = counter("updates", "Updates of the market that the engine has taken")
        self.swaps = counter("swaps", "Trades of others among them")
        self.last_update = gauge("last_update_age_seconds", "Since the last update of any feed")
        self.feed_age = gauge("feed_age_seconds", "Since the last sign of life of a feed or a helper", "feed")
        self.feed_lag = histogram("feed_lag_seconds", "Age of an update when the engine took it", _SECONDS)
        self.pools = gauge("pools", "Pools whose state is known")
        # What is decided and ordered.
        self.decisions = counter("decisions", "Decisions by side and result", "side", "result")
        self.refusals = counter("refusals", "Refusals by the policy that refused, repeated ones included", "policy")
        self.state_age = histogram(
            "decision_state_age_seconds", "Age of the pool's state when it was decided on", _SECONDS, "side"
        )
        self.orders = counter("orders", "Orders that were made", "side")
        self.outcomes = counter("outcomes", "How orders have ended", "side", "result")
        self.failures = counter("failures", "Orders that ended without a trade, by reason", "reason")
        self.order_seconds = histogram(
            "order_seconds", "From an order to its outcome, in the market's time", _SECONDS, "side"
        )
        self.slippage = histogram("slippage_bps", "Executed against quoted price of fills; more is worse", _BPS, "side")
        self.in_flight = gauge("orders_in_flight", "Orders that have not ended")
        self.proposals = gauge("proposals_waiting", "Buys that wait for a person")
        # What it is worth.
        self.equity = gauge("equity_lamports", "Cash, what positions would bring, and deposits of rent")
        self.cash = gauge("cash_lamports", "SOL in the wallet by the books")
        self.value = gauge("positions_lamports", "What open positions would bring if sold now")
        self.exposure = gauge("exposure_lamports", "What open positions have cost")
        self.positions = gauge("open_positions", "Positions that are open")
        self.put_in = gauge("put_in_lamports", "What the owner has put in, less what was taken out")
        self.pnl = gauge("pnl_lamports", "Equity less what was put in: after every cost, since the books began")
        self.unrealised = gauge("unrealised_lamports", "Value of open positions less their cost")
        self.realised = gauge("realised_lamports", "The rest of the profit and loss")
        self.costs = gauge("costs_lamports", "Costs by kind since the books began", "kind")
        # How it is.
        self.trading = gauge("trading_state", "1 for the state of trading that holds", "state")
        self.breaker = gauge("breaker_state", "1 for the state of the circuit breaker", "state")
        self.locked = gauge("locked", "1 while this lock keeps entries back", "lock")
        self.able = gauge("able", "1 while an entry could be carried out")
        self.faults = gauge("faults", "Things that entries need and that do not work")
        self.part_ok = gauge("part_ok", "1 while a part works: a feed, a helper, a monitor", "part")
        self.drift = gauge("protocol_drift", "1 while the program differs from the one that this version knows")
        self.differences = gauge("reconciliation_differences", "Assets of which wallet and books differ")
        self.reconciled = gauge("reconciliation_timestamp_seconds", "When wallet and books were compared last")
        self.queue = gauge("queue_updates", "Updates that wait for the engine")
        self.deliveries = gauge("deliveries", "Messages about alerts by what became of them", "status")
        self.alerts = counter("alerts", "Alerts by level and topic", "level", "topic")
        self.beat = gauge("heartbeat_timestamp_seconds", "When the engine said last that it runs")
        self.started = gauge("started_timestamp_seconds", "When the process began to run it")
        self.loop_lag = gauge("event_loop_lag_seconds", "How much later than asked for the loop has woken us last")
