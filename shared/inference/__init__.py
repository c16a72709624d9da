"""What the services that run the model share: their settings, their start, and the workers' batching."""
