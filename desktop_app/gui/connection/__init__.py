"""The connection: the current one and its loops, the dialog that changes it, and what is said of its trouble."""
