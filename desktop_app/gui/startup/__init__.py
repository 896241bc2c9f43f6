"""Starting and shutting down the program with its window: display, single instance, dialogs, threads."""
