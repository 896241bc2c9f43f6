"""The real window on a real X server with a window manager, used as a user would: `make desktop`."""
