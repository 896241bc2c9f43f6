"""Filtering the list: the filter box and the sidebar."""
