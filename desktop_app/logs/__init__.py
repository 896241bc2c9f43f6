"""The log: writing it, reading it, and finding the lines about one job."""
