"""The list as a file for other programs."""
