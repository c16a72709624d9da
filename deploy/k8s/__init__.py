"""Kubernetes manifests, and the check that builds and validates every combination of them."""
