"""Process files. To add a processor, add a module to this package and a line to `registry.py`.

A file is processed by the first processor in the registry that accepts it. `LineProcessor` accepts every file, so add
new processors before it.
"""
