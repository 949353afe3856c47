"""Sync rules: the document of a rule, its expressions and field maps, what it would do, and what
is wrong with it. Pure: facts come in, effects go out. Not here: keeping rules (`hub.store.rules`).
"""
