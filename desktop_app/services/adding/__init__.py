"""From files a person named to rows of the list."""
