"""Support functions outside the loops: exports, support reports, connection checks."""
