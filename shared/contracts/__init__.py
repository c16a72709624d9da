"""Topics, messages, identifiers and error codes: the words that all services agree on."""
