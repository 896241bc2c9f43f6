"""Process files. To add a processor, add a module to this package and a line to `registry.py`."""
