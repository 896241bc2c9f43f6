"""The window itself: arranges the parts that the other folders hold."""
