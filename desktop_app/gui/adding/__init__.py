"""From what a person picked, dropped or pasted to rows of the list, with a question where there is one."""
