"""The shared package of the commerce data hub: no Faust, Dagster or web framework in it."""

__version__ = "0.1.0"
