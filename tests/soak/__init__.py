"""Hours of running."""
