"""Settings, paths and atomic file writing. Every layer may use this package."""
