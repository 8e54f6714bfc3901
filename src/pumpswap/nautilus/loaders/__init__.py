"""Recorded markets as Nautilus' data: straight into an engine, or through its catalog."""
