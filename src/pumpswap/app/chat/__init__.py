"""Remote commands: the same words as everywhere, answered in a chat. What may be done there is decided here."""
