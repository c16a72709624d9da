"""The detector: encoders, fusion, bundles, calibration."""
