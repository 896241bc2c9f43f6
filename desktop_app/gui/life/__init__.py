"""How the window's program starts, whether it may, and how it ends."""
