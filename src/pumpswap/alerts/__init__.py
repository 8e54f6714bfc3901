"""Alerts: what is worth telling, in which words, and how it gets to people."""
