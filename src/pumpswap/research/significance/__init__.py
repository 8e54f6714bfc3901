"""Significance: how much of a back-test's result is luck, search, or a look into the future."""
