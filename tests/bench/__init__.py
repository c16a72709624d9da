"""Measurements of the whole: `make bench`. Each part prints what it measures and returns plain numbers."""
