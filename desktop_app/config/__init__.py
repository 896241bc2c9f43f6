"""Settings, paths, and writing files atomically; every layer may use it."""
