"""What is known about the selected files, and what can be done about them."""
