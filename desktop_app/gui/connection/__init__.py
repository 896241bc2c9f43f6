"""The connection: its loops, the dialog that changes it, and the messages about its problems."""
