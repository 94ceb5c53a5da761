"""Doing it: walk every member through its states, and remember."""
