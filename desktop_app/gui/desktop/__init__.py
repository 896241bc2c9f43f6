"""Desktop integration: notifications, the tray icon, task bar progress, preventing sleep, and the file manager."""
