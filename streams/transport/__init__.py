"""The batch transport of a Faust worker: records go to a handler in whole batches.

`driver` plugs it into Faust, `consumer` carries a batch from the fetch to the hand-off,
`lanes` write, `positions` see that nothing is skipped or taken twice, `settling` finds out
whether a write counted. Not here: what a handler does with a batch (`streams.processors`).
"""
