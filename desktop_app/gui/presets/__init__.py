"""Commands of the user: the list of presets, the form of one, trying it on a file, importing and exporting."""
