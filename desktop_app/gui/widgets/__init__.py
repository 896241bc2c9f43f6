"""Widgets and helpers that several packages use."""
