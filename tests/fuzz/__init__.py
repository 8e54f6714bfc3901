"""Random and mutated bytes through every decoder: ``python -m tests.fuzz --count 1000000 --seed 1``."""
