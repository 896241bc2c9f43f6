"""Desktop integration: notifications, tray icon, progress on the task bar, keeping the computer awake."""
