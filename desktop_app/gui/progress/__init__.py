"""How far the run is, how quick it goes, how long it takes, and when it is over."""
