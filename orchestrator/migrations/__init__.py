"""What changes: migrations as tables of states and rounds."""
