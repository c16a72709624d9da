"""Joins both modalities by job and window, scores, and gives the verdict."""
