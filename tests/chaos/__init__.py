"""Kills services and broker at random under load, and accounts for every job afterwards."""
