"""The main window, and the pages shown in place of an empty table."""
