"""What installers are made of."""
