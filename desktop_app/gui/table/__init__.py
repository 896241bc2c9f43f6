"""The table of jobs: model, view, columns and header."""
