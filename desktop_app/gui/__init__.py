"""The window. Only this package imports PySide6; it imports neither boto3 nor peewee."""
