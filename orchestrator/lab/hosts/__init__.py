"""One host of the lab: what it is made of, how it boots and ends, its journal, its failures."""
