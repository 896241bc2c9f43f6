"""Processing of files. A new processor is a module here and a line in `registry.py`."""
