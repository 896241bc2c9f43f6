"""Tests of the packaging."""
