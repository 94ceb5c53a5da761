"""Who uses the cluster meanwhile: a prober that counts every write, and local clients on the hosts."""
