"""The members; the keys lie where pyinfra is called."""

etcd = [
    (
        name,
        {
            "ssh_hostname": address,
            "ssh_user": "root",
            "ssh_key": "keys/id_ed25519",
            "ssh_known_hosts_file": "keys/known_hosts",
        },
    )
    for name, address in (
        ("server1", "198.18.0.101"),
        ("server2", "198.18.0.102"),
        ("server3", "198.18.0.103"),
    )
]
