"""The hub's invariants as checks of the tables they speak of."""
