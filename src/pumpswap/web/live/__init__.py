"""Staying new: one look at the database for all who watch."""
