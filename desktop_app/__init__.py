"""Filemill: process files through an Amazon SQS queue, and follow their status in a window or a terminal."""

__version__ = "0.1.0"
