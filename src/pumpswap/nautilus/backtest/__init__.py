"""NautilusTrader's BacktestEngine on the curve: our engine decides and fills, Nautilus' strategies trade through it."""
