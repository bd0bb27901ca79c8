"""What runs the judge for its callers: an event loop, streams, the breaker, an orderly end."""
