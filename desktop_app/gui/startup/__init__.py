"""Start-up and shutdown of the program with its window: display, single instance, dialogs, and threads."""
