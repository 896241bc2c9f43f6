"""Adding files: picked, dropped or pasted paths become jobs, after a review if one is needed."""
