"""GeckoTerminal: a polite client, its answers as records, and what in them has changed since this was written."""
