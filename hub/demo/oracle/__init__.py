"""What the marts must hold after a journey, computed straight from the data set's own tables.

Nothing here is imported from the rest of the hub, and nothing is shared with the adapter that makes
the events: the rules are those of docs/real-input.md, written a second time. One function a mart
gives the rows it must have, one query in `sql/` those it has, and `comparing` says where they
differ. Not here: running the demo (`hub.demo.runner`).
"""
