"""The books at scale: filled databases of growing size, the queries of a dashboard, commits, bulk ingest."""
