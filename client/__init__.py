"""The `veracity` command: a client over HTTP, and the operators' Kafka commands."""
