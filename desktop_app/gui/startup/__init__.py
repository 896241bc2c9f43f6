"""Starting and stopping the window: display check, single instance, start-up dialogs, Qt set-up, and shutdown."""
