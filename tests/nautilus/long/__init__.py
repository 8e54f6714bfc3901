"""What takes longer than a test may: run by ``make acceptance`` in each version's environment."""
