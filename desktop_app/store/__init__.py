"""The database: the truth about every job. Nobody else imports peewee or writes SQL."""
