"""Feeds of a running engine: a collector's rows, states and swaps of a chain, a simulated or recorded market."""
