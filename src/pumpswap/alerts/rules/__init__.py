"""Rules: observers of a running engine, each of which says when something is worth an alert."""
