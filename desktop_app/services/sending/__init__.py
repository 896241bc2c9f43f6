"""From the outbox to the queue, and what is checked now and then."""
