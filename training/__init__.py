"""Trains, evaluates and exports detectors. Imports `shared`, never `services`."""
