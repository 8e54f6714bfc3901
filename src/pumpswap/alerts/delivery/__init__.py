"""Delivery: how alerts get from the database to people: not too often, not at night, and none that matters is lost."""
