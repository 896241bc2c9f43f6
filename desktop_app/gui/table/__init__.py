"""The table: its rows, its columns, and what a person does to rows."""
