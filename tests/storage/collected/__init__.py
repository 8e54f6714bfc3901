"""Tests of the collected tables."""
