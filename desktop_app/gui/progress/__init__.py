"""The progress of the run: status bar, time left, throughput graphs and notifications."""
