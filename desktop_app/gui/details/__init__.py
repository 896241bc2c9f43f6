"""The details pane: what happened to the selected files, and what to do about it."""
