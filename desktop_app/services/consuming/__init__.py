"""Consuming: from a received message to a committed result and a deleted message."""
