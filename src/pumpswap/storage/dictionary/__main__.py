"""Print the data dictionary."""

import sys

from pumpswap.storage.dictionary import data_dictionary

sys.stdout.write(data_dictionary())
