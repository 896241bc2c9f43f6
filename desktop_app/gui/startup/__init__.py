"""Start and end of the window's program: display, single instance, dialogs, shutdown."""
