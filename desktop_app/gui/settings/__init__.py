"""The Settings dialog, and what the settings change in the window."""
