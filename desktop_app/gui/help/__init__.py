"""The help and the About dialog."""
