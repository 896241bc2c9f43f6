"""Is any text cut off, in any state, language, size and direction? Measured on the real window."""
