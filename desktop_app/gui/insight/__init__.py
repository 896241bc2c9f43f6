"""What goes on inside, for who wants to know: the log, the support report, faults."""
