"""QLib: datasets in its binary layout and its CSV form, from every source of market data that we read."""
