"""What the actions do; one module per menu."""
