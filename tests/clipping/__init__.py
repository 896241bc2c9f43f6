"""Finds cut-off texts in every state, language, size and direction, measured on the real window."""
