"""Every key of the plan and its companions, and what it becomes. None is dropped silently; a test counts them."""

from __future__ import annotations

from pumpswap.settings.plan_rows import PlanRow, becomes, decided, not_needed

__all__ = ["ENVIRONMENT", "HOST_SECTIONS", "PLAN_ROWS", "PLAN_SECTIONS"]

# The host's own sections: recognised and left alone. Its rules refuse every other one.
HOST_SECTIONS = (
    "dexes", "intervals", "thresholds", "timeframes", "database", "api", "error_handling", "rate_limiting", "watchlist",
    "new_pools",
)  # fmt: skip
PLAN_SECTIONS = ("pumpswap", "signal_analysis", "q50_pumpswap_strategy", "nautilus_trader", "nautilus_poc")

# Stands for the name of an environment: its keys become a profile of ours.
ENVIRONMENT = "nautilus_poc.environments.*"

_KEYSTORE = "the key lies in a keystore under a password: pumpswap wallet import --from FILE"
_ALWAYS = "always so; nothing to switch"
_THEIRS = "NautilusTrader's own: it stays in the configuration of its node"
_GATE = "risk limits both systems; Nautilus' own limits are set wider by node_config"
_RECONCILED = "node_config turns reconciliation on, and no order is rejected for being slow"
_STORED = "everything is stored with its numbers, secrets apart; nothing to switch"
_ALERTS = "alerts are stored and told; this one has no setting yet"
_PROVEN = "an order ends when its signature has proven to be expired, not by a clock"
_RETRIES = "retries follow what failed and the retry settings of sending, exits and collect"
_PAST = "thresholds are percentiles of past values: q50.threshold_percentile"
_SAME_FRAME = "the frame is read as it is; q50.path names it"

_NO_LIST = "the plan's own file name is no list where there is no such file; any other file must be there"

_APPROVAL = "on paper by default; live, `pumpswap run --live --mode approve` asks you before each buy"
_SLIPPAGE = ("risk.slippage_bps", "risk.max_slippage_bps", "feasibility.max_slippage_bps")

_PUMPSWAP = (
    becomes("pumpswap.enabled", "run.mode", convert="enabled"),
    becomes("pumpswap.payer_public_key", "wallet.public_key"),
    decided("pumpswap.private_key_path", "D16", _KEYSTORE),
    becomes("pumpswap.base_position_size", "risk.base_position_fraction", convert="number"),
    becomes("pumpswap.max_position_size", "risk.max_position_fraction", convert="number"),
    becomes("pumpswap.min_liquidity_sol", "risk.min_liquidity_sol", "feasibility.min_liquidity_sol", convert="number"),
    becomes("pumpswap.max_slippage_percent", *_SLIPPAGE, convert="percent"),
    becomes("pumpswap.max_price_impact_percent", "risk.max_impact_bps", "feasibility.max_impact_bps",
            convert="percent"),
    becomes("pumpswap.stop_loss_percent", "exits.stop_loss_bps", convert="percent"),
    becomes("pumpswap.take_profit_percent", "exits.take_profit_bps", convert="percent"),
    becomes("pumpswap.integrate_with_q50", "run.signals", convert="q50"),
    not_needed("pumpswap.integrate_with_nautilus", "the strategy for NautilusTrader reads this same file"),
    becomes("pumpswap.enable_auto_trading", "run.mode", convert="auto", yields=True, why=_APPROVAL),
    not_needed("pumpswap.track_performance", _STORED),
    not_needed("pumpswap.alert_on_large_moves", _ALERTS),
    not_needed("pumpswap.daily_pnl_reporting", "performance-report --days 1 makes it at any time"),
)  # fmt: skip

_ANALYSIS = (
    becomes("signal_analysis.pumpswap_boost_factor", "feasibility.boost_factor", convert="number"),
    becomes("signal_analysis.liquidity_weight", "feasibility.liquidity_weight", convert="number"),
    becomes("signal_analysis.execution_feasibility_weight", "feasibility.feasibility_weight", convert="number"),
)

_STRATEGY = (
    becomes("q50_pumpswap_strategy.signal_check_interval_seconds", "run.check_seconds", convert="number",
            implies=(("run.strategy", "plan-loop"),)),
    becomes("q50_pumpswap_strategy.max_concurrent_positions", "risk.max_open_positions", convert="number"),
    becomes("q50_pumpswap_strategy.enable_auto_trading", "run.mode", convert="auto", yields=True, why=_APPROVAL),
    becomes("q50_pumpswap_strategy.liquidity_boost_factor", "feasibility.boost_factor", convert="number"),
    becomes("q50_pumpswap_strategy.min_liquidity_sol", "risk.min_liquidity_sol", "feasibility.min_liquidity_sol",
            convert="number"),
    becomes("q50_pumpswap_strategy.max_price_impact_percent", "risk.max_impact_bps", "feasibility.max_impact_bps",
            convert="percent"),
)  # fmt: skip

_REGIMES_OF_NAUTILUS = "nautilus_trader.strategy_config.regime_detection"
_NAUTILUS = (
    not_needed("nautilus_trader.enabled", "the strategy runs where NautilusTrader starts it"),
    not_needed("nautilus_trader.strategy_config.signal_source", _SAME_FRAME),
    becomes("nautilus_trader.strategy_config.database_uri", "database.url", convert="database"),
    *(
        decided(f"{_REGIMES_OF_NAUTILUS}.{key}", "D12", "regimes are percentiles of past vol_risk, not RSI and MACD")
        for key in ("use_existing_indicators", "rsi_periods", "macd_fast", "macd_slow")
    ),
    becomes("nautilus_trader.risk_management.max_position_size", "risk.max_position_fraction", convert="number"),
    becomes("nautilus_trader.risk_management.base_position_size", "risk.base_position_fraction", convert="number"),
    not_needed("nautilus_trader.risk_management.use_existing_feature_vectors", "risk looks at pools and books only"),
)

_ENVIRONMENTS = (
    becomes("nautilus_poc.environment", "profile", convert="profile"),
    becomes(f"{ENVIRONMENT}.solana.network", "chain.network", convert="network"),
    becomes(f"{ENVIRONMENT}.solana.rpc_endpoint", "chain.endpoints", convert="endpoint"),
    not_needed(f"{ENVIRONMENT}.solana.commitment", "confirmed to act, finalised to conclude that something is absent"),
    not_needed(f"{ENVIRONMENT}.solana.cluster", "chain.network says it, and the genesis hash is compared"),
    becomes(f"{ENVIRONMENT}.pumpswap.max_slippage_percent", *_SLIPPAGE, convert="percent"),
    becomes(f"{ENVIRONMENT}.pumpswap.base_position_size", "risk.base_position_fraction", convert="number"),
    becomes(f"{ENVIRONMENT}.pumpswap.max_position_size", "risk.max_position_fraction", convert="number"),
    becomes(f"{ENVIRONMENT}.pumpswap.min_liquidity_sol", "risk.min_liquidity_sol", "feasibility.min_liquidity_sol",
            convert="number"),
    becomes(f"{ENVIRONMENT}.pumpswap.max_price_impact_percent", "risk.max_impact_bps", "feasibility.max_impact_bps",
            convert="percent"),
    not_needed(f"{ENVIRONMENT}.pumpswap.realistic_transaction_cost", "every fee is computed exactly, none assumed"),
    not_needed(f"{ENVIRONMENT}.security.validate_token_addresses", _ALWAYS),
    not_needed(f"{ENVIRONMENT}.security.require_transaction_confirmation", _ALWAYS),
    not_needed(f"{ENVIRONMENT}.security.enable_circuit_breaker", "always on; risk.breaker_failures says when it opens"),
    becomes(f"{ENVIRONMENT}.security.max_daily_trades", "risk.max_trades_per_day", convert="number"),
    not_needed(f"{ENVIRONMENT}.security.wallet_balance_alert_threshold", _ALERTS),
)  # fmt: skip

_POC_Q50 = (
    becomes("nautilus_poc.q50.features_path", "q50.path"),
    becomes("nautilus_poc.q50.signal_tolerance_minutes", "q50.tolerance_seconds", convert="minutes", decision="D07",
            plan_default=5, why="the spacing of the frame is the default: 5 minutes would miss most of an hour"),
    not_needed("nautilus_poc.q50.required_columns", "these nine are always required"),
    not_needed("nautilus_poc.q50.backup_features_path", "a frame that cannot be read is an error, not another frame"),
    not_needed("nautilus_poc.q50.signal_cache_ttl_minutes", "rows are looked up in memory"),
)  # fmt: skip

_POC_WALLET = (
    becomes("nautilus_poc.wallet.payer_public_key", "wallet.public_key"),
    *(
        decided(f"nautilus_poc.wallet.{key}", "D16", _KEYSTORE)
        for key in ("private_key_path", "private_key_env_var", "wallet_password_env_var")
    ),
    not_needed("nautilus_poc.wallet.validate_balance_before_trade", _ALWAYS),
    becomes("nautilus_poc.wallet.min_balance_sol", "risk.native_reserve_sol", convert="number"),
    becomes("nautilus_poc.wallet.balance_check_interval_minutes", "books.reconcile_seconds", convert="minutes"),
)

_POC_TRADING = (
    becomes("nautilus_poc.trading.kelly_multiplier", "risk.kelly_fraction", convert="kelly"),
    not_needed("nautilus_poc.trading.max_portfolio_risk",
               "undefined there; risk.max_exposure_fraction and risk.max_daily_loss_fraction hold"),
    becomes("nautilus_poc.trading.position_concentration_limit", "risk.max_token_fraction", convert="number"),
    not_needed("nautilus_poc.trading.order_timeout_seconds", _PROVEN),
    not_needed("nautilus_poc.trading.confirmation_timeout_seconds", _PROVEN),
    becomes("nautilus_poc.trading.max_gas_price_lamports", "sending.priority_cap_micro_lamports", convert="fee"),
    becomes("nautilus_poc.trading.stop_loss_percent", "exits.stop_loss_bps", convert="percent"),
    becomes("nautilus_poc.trading.take_profit_percent", "exits.take_profit_bps", convert="percent", decision="D03",
            plan_default=50, why="100 % is the default"),
    becomes("nautilus_poc.trading.position_timeout_hours", "exits.max_hold_seconds", convert="hours"),
    becomes("nautilus_poc.trading.max_consecutive_losses", "risk.max_losses_in_a_row", convert="number"),
)  # fmt: skip

_NODE = "nautilus_poc.nautilus"
_POC_NODE = (
    becomes(f"{_NODE}.instance_id", "nautilus.trader_id"),
    not_needed(f"{_NODE}.log_level", _THEIRS),
    not_needed(f"{_NODE}.cache_database_path", "a starting node is told by our books what is held"),
    *(
        not_needed(f"{_NODE}.strategy_config.risk_engine_config.{key}", _GATE)
        for key in ("bypass", "max_order_rate", "max_notional_per_order")
    ),
    *(
        not_needed(f"{_NODE}.strategy_config.exec_engine_config.{key}", _RECONCILED)
        for key in ("reconciliation", "inflight_check_interval_ms")
    ),
    *(
        not_needed(f"{_NODE}.data_engine_config.{key}", _THEIRS)
        for key in ("time_bars_build_with_no_updates", "time_bars_timestamp_on_close", "validate_data_sequence")
    ),
)

_POC_MONITORING = (
    *(
        not_needed(f"nautilus_poc.monitoring.{key}", _STORED)
        for key in (
            "enable_performance_tracking",
            "log_signal_processing",
            "log_trade_execution",
            "log_pumpswap_interactions",
            "log_wallet_operations",
            "log_security_events",
            "collect_execution_metrics",
            "collect_pnl_metrics",
            "collect_slippage_metrics",
        )
    ),
    not_needed("nautilus_poc.monitoring.metrics_export_interval_minutes", "reports are made when they are asked for"),
    not_needed("nautilus_poc.monitoring.signal_processing_timeout_ms", "a decision takes microseconds"),
    not_needed("nautilus_poc.monitoring.trade_execution_timeout_ms", _PROVEN),
    not_needed("nautilus_poc.monitoring.max_acceptable_slippage_percent",
               "the limit in the order itself refuses more: risk.max_slippage_bps"),
)  # fmt: skip

_POC_ERRORS = (
    becomes("nautilus_poc.error_handling.max_retries", "sending.max_attempts", convert="number"),
    *(
        not_needed(f"nautilus_poc.error_handling.{key}", _RETRIES)
        for key in (
            "retry_delay_base",
            "retry_delay_max",
            "rpc_error_retry_count",
            "rpc_error_backoff_factor",
            "pumpswap_error_retry_count",
            "wallet_error_retry_count",
        )
    ),
    becomes("nautilus_poc.error_handling.circuit_breaker_threshold", "risk.breaker_failures", convert="number"),
    becomes("nautilus_poc.error_handling.circuit_breaker_timeout", "risk.breaker_seconds", convert="number"),
    not_needed("nautilus_poc.error_handling.enable_graceful_degradation", "always so: entries stop, exits go on"),
    decided("nautilus_poc.error_handling.fallback_to_hold_on_error", "D11", "an error means no trade, always"),
    not_needed("nautilus_poc.error_handling.auto_restart_on_critical_error",
               "whoever starts the process restarts it; a start restores everything"),
)  # fmt: skip

_POC_SECURITY = (
    *(
        not_needed(f"nautilus_poc.security.{key}", _ALWAYS)
        for key in (
            "validate_token_addresses",
            "require_transaction_confirmation",
            "transaction_signature_validation",
            "sensitive_data_masking",
        )
    ),
    becomes("nautilus_poc.security.token_blacklist_path", "risk.deny_tokens", convert="denied", why=_NO_LIST),
    becomes("nautilus_poc.security.token_whitelist_path", "risk.allow_tokens", convert="allowed", why=_NO_LIST),
    not_needed("nautilus_poc.security.enable_token_metadata_validation", "risk.require_screen asks for a real screen"),
    becomes("nautilus_poc.security.max_transaction_retries", "sending.max_attempts", convert="number"),
    not_needed("nautilus_poc.security.enable_audit_logging", _STORED),
    not_needed("nautilus_poc.security.audit_log_path", "the database is the audit log: pumpswap why"),
    becomes("nautilus_poc.security.max_trades_per_minute", "risk.max_trades_per_minute", convert="number"),
    becomes("nautilus_poc.security.max_trades_per_hour", "risk.max_trades_per_hour", convert="number"),
    becomes("nautilus_poc.security.max_trades_per_day", "risk.max_trades_per_day", convert="number"),
)

_REGIME = "nautilus_poc.regime_detection"
_POC_REGIMES = (
    *(
        becomes(f"{_REGIME}.vol_risk_percentiles.{name}", f"regimes.{name}_percentile", convert="number")
        for name in ("low", "high", "extreme")
    ),
    *(
        becomes(f"{_REGIME}.regime_multipliers.{name}_variance", f"regimes.{name}_multiplier", convert="number",
                decision="D02", plan_default=upstream, why="smaller sizes in turbulence, not larger ones")
        for name, upstream in (("low", 0.7), ("medium", None), ("high", 1.4), ("extreme", 1.8))
    ),
    *(
        decided(f"{_REGIME}.{key}", "D12", _PAST)
        for key in (
            "enable_adaptive_thresholds",
            "threshold_adjustment_factor",
            "min_threshold_adjustment",
            "max_threshold_adjustment",
        )
    ),
)  # fmt: skip

PLAN_ROWS: dict[str, PlanRow] = {
    row.plan: row
    for row in (
        *_PUMPSWAP, *_ANALYSIS, *_STRATEGY, *_NAUTILUS, *_ENVIRONMENTS, *_POC_Q50, *_POC_WALLET, *_POC_TRADING,
        *_POC_NODE, *_POC_MONITORING, *_POC_ERRORS, *_POC_SECURITY, *_POC_REGIMES,
    )
}  # fmt: skip
