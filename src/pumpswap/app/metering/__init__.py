"""Figures of a running engine for Prometheus. Nothing here is loaded where no endpoint is wanted."""
