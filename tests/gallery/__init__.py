"""Screenshots of the window in all its states, for the README and for changes of its look: `make screenshots`."""
