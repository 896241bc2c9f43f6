"""The sender, which sends the messages in the outbox, and the periodic tasks."""
