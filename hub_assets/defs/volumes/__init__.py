"""Volumes against their own past."""
