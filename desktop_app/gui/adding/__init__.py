"""Adding files: picked, dropped or pasted paths become rows of the list, after a review where one is needed."""
