"""Settings, paths and files that are there whole or not at all; known to every layer."""
