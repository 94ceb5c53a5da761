"""Register the members for https, once, and restart each with https alone; called with --serial."""

from io import StringIO

from pyinfra import host, inventory
from pyinfra.operations import files, server
from restart import restart

if host.name == "server1":
    server.shell(
        name="Register the members for https",
        commands=[
            """etcdctl member list | tr -d ' ' | while IFS=, read -r id _ _ peer _; do
                etcdctl member update "$id" --peer-urls="https:${peer#http:}"
            done"""
        ],
        _env={"ETCDCTL_API": "3"},
    )
ADDRESS = host.data.ssh_hostname
ALL = ",".join(f"{each.name}=https://{each.data.ssh_hostname}:2380" for each in inventory)
LISTENERS = f"""\
[Service]
Environment="ETCD_ADVERTISE_CLIENT_URLS=https://{ADDRESS}:2379"
Environment="ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379,http://127.0.0.1:4001"
Environment="ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380"
Environment="ETCD_INITIAL_ADVERTISE_PEER_URLS=https://{ADDRESS}:2380"
Environment="ETCD_INITIAL_CLUSTER={ALL}"
"""
files.put(src=StringIO(LISTENERS), dest="/etc/systemd/system/etcd2.service.d/40-tls.conf", mode="644")
restart("https", 4001)
