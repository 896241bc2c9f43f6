"""Watched folders: their loop, the dialog that lists them, and the form for one of them."""
