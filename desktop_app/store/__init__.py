"""The database of all jobs. The only package that imports peewee or queries this database."""
