"""Back-tests, their kernel and their searches."""
