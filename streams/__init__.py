"""The data plane: a Faust worker that carries whole batches from Kafka into Postgres.

Not here: what is decided about an event (`hub.domain`) and how it is kept (`hub.store`).
"""
