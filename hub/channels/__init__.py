"""Channel packs: how each platform speaks, as data, and the codec that reads it.

A pack is one YAML file. Nothing here talks to a network or a database.
"""
