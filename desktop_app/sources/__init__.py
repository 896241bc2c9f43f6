"""Finding files, and reading their bytes."""
