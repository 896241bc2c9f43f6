"""The command line: one module for each group of commands, built on the same services as the window."""
