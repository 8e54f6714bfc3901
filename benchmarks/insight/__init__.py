"""What looking on costs: the pages over large books, and fifty viewers beside an engine that decides."""
