"""The window. Nobody else imports PySide6; the window imports neither boto3 nor peewee."""
