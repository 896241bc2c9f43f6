"""The terminal's face of Filemill: one module a group of commands, all on the same services as the window."""
