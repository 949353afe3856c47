"""Kafka's topics and the tables the stream workers keep."""
