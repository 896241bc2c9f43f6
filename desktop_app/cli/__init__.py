"""The command line. Each module implements a group of commands with the services that the window uses."""
