"""Turns the faces of a segment into one embedding record a window."""
