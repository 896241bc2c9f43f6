"""The loops that carry a file from the pick to its result. No Qt: the window and `filemill worker` run the same."""
