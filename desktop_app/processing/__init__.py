"""Processing of files. A new processor is a module here and a line in `registry.py`.

The first processor that accepts a file processes it, and `LineProcessor` accepts every file: processors before it in
the registry get the files that they accept, and those after it get none.
"""
