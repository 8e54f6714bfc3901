"""Composition: settings → the objects of one running system. The CLI calls these functions and prints the result."""
