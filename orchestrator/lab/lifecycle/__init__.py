"""How a lab comes up, is found again, and goes away completely."""
