"""How the window's program starts, whether it may open a window, and how it ends."""
