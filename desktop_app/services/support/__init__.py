"""Services outside the loops: exports, support reports and connection checks."""
