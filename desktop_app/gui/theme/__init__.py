"""The colours, the icons and the style sheet."""
