"""Pictures of the window in all its states, for the README and for whoever changes how it looks; `make screenshots`."""
