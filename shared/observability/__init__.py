"""Metrics, logs, trace context and health, the same for every service."""
