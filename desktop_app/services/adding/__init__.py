"""Adding files: reviewing what a scan found, and editing the list."""
