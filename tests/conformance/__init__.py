"""Fresh random cases against the official SDK under Node: ``make conformance``. Never part of ``make test``."""
