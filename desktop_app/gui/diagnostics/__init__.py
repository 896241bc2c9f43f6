"""The log, the support report, and unexpected errors."""
