"""Widgets that several packages use."""
