"""Takes submissions, plans jobs, serves results."""
