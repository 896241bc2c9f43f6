"""The database engines: a module each, which holds all in which that engine differs from another."""
