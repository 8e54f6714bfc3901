"""The long checks: ``python -m tests.acceptance``. Never part of ``make test``; their figures become evidence."""
