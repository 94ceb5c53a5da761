"""One HTML file about a run, for the change ticket: it needs no network and no script to be read."""
