"""The commands behind the actions of the window, in one module per menu."""
