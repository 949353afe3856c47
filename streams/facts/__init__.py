"""Facts to Kafka, for anyone: each applied event once more, as the hub took it."""
