"""The details of the selected files, and what can be done about them."""
