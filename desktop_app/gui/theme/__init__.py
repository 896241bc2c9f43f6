"""Colours, icons and style sheet."""
