"""The worker that tells subscribers: spreads facts into deliveries, and sends them."""
