"""Queries of the API: a module and a `.sql` file for each noun. Nothing is decided here.

Every function takes a connection prepared by `hub.store.db` and gives plain dictionaries in the
store's units: ids of 16 bytes, minor units, thousandths, points, UTC times.
"""
