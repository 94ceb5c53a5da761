"""What is asked of a host: one module a subject, with the script, its reader and the type side by side."""
