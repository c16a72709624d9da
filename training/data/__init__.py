"""Data sets: what is in them, what may be trained on, and how they are split."""
