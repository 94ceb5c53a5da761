"""Telling people: review, status, live lines."""
