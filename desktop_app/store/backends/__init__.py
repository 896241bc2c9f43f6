"""The database engines: one module for each, with everything that is specific to it."""
