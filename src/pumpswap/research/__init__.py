"""Research on recorded data: exports for other tools, back-tests, sweeps. Nothing here trades."""
