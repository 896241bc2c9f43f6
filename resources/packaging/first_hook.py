"""Runs in the frozen program before PyInstaller's own hooks: record the environment, some of which they overwrite."""

import desktop_app.config.child_environment  # noqa: F401 - imported to record the environment
