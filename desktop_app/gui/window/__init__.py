"""The main window and the pages of an empty list."""
