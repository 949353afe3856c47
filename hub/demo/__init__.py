"""What shows the hub at work: real input from a public data set, and a simulated bakery.

Nothing in the hub imports this package; it needs the optional extra `demo`.
"""
