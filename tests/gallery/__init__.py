"""Screenshots of the window in all its states, for the README and to check visual changes: `make screenshots`."""
