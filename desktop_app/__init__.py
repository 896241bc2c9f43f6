"""Filemill: files in, a queue between, a worker that never loses one."""

__version__ = "0.1.0"
