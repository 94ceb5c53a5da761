"""What a rehearsal proves: it runs the real program, looks at what came of it, and judges."""
