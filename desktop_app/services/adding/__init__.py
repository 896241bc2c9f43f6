"""Services for adding files: reviewing the result of a scan, and changing the list."""
