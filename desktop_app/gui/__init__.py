"""The graphical user interface. It imports neither boto3 nor peewee."""
