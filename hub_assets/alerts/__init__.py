"""Alerts: what changed, how it is said, how it is sent. Each knows nothing of the others."""
