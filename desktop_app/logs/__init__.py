"""The log: writing it, reading it, and what it says about one job."""
