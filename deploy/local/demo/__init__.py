"""The demo: one real clip, manipulated twins of it, and what the service says of each."""
