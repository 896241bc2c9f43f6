"""Services for adding files: review the result of a scan, and change the list."""
