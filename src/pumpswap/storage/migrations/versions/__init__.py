"""One file per version, oldest first. Written by hand; a version that was released never changes."""
