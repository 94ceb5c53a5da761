"""Real hosts to try it on: systemd, sshd and etcd, booted on this machine."""
