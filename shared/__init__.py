"""What every service shares. `shared` imports neither `services` nor `training`."""
