"""What is done to one file. A new kind of processing is a new file here and a line in `registry.py`.

The first processor that accepts a file processes it, and `LineProcessor` accepts every file: what comes before it in
the registry gets the files that it accepts, and what comes after it gets none.
"""
