"""What the tests and the long checks share."""
