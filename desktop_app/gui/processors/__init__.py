"""Choosing what is done to files: the menu, the dialog with the options, and the rules by file type."""
