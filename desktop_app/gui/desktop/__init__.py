"""What the desktop around the window offers: notifications, a tray, progress on the task bar, staying awake."""
