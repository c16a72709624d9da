"""Turns the sound of a segment into one embedding record a window."""
