"""Queries of the API, a module and a `.sql` file for each noun. Reads only: nothing is decided here.

Every function takes an open asyncpg connection (or pool) and a `Viewer`, and gives plain
dictionaries in the store's units: minor units, thousandths, points, UTC times.
"""
