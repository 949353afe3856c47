"""Reconciliation: reading a channel's own list, comparing it with the hub, keeping the drift."""
