"""The consumer, which receives messages, processes their files, commits the results, and deletes the messages."""
