"""Look at what happened: the log of the bus in the terminal and on a local page."""
