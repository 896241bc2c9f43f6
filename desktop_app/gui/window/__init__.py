"""The main window, which arranges the parts of the other packages."""
