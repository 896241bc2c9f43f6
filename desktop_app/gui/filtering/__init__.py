"""Which files the list shows: the filter box and the sidebar."""
