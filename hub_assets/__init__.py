"""The control plane: Dagster's assets, checks, sensors and jobs over the hub and its warehouse."""
