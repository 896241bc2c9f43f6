"""What is done to one file. A new kind of processing is a new file here and a line in `registry.py`."""
