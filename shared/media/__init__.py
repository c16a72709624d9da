"""Probing, sandboxed decoding, windows, faces. The only package that imports av."""
