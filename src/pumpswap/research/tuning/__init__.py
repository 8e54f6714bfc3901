"""Tuning: many settings of one strategy over one history, and what remains of the best of them out of sample."""
