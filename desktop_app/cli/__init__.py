"""The command line. Each module implements a group of commands with the same services as the window."""
