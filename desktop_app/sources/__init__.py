"""Find files, and read their contents."""
