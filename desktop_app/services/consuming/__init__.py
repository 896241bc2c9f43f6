"""The consumer: receive messages, process their files, commit the results, and delete the messages."""
