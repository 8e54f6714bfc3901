"""The data dictionary: every table and column with its type on both databases, its keys and its meaning.

``python -m pumpswap.storage.dictionary > docs/data-dictionary.md`` writes the page; a test compares it.
"""

from pumpswap.storage.dictionary.render import data_dictionary

__all__ = ["data_dictionary"]
