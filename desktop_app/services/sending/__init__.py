"""Sending: from the outbox to the queue, and the periodic tasks."""
