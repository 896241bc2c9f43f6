"""Writing and reading the log files."""
