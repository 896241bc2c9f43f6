"""Which queue, how it is, what mends it, and another one without a restart."""
