"""Settings, paths and atomic writing of files; used by every layer."""
