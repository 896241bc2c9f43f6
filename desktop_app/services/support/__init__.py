"""Reports, exports and checks that no loop needs."""
