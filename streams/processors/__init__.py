"""What the hub does with batches of events: it carries them from the transport to the store."""
