"""What a member runs with, what lies on its host, and what its certificates have proven."""
