"""Making certificates: an authority for a cluster, and a key pair for everybody that its plan names."""
