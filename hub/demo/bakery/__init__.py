"""A bakery chain on one busy day, played twice: with systems that copy to each other by hand every
two hours, and through the hub.

`town` is who and what there is, `day` what the customers want and when, `copying` the day as it was
before the hub, `live` the same day through the hub's own API and broker.
"""
