"""Look, keep a snapshot, and put certificates on every host; all hosts at once."""

from io import StringIO

from pyinfra import host
from pyinfra.operations import files, server

NAME = host.name
server.shell(
    name="Every member is healthy",
    commands=[f"curl -fsS http://{host.data.ssh_hostname}:2379/health | grep -q true"],
)
if NAME == "server1":
    server.shell(
        name="Take a snapshot",
        commands=["mkdir -p /var/backups/etcd", "etcdctl snapshot save /var/backups/etcd/before-tls.db"],
        _env={"ETCDCTL_API": "3"},
    )
for directory in ("/etc/etcd2", "/etc/systemd/system/etcd2.service.d"):
    files.directory(path=directory, mode="755")
for src, dest, mode in (
    ("pki/ca.pem", "/etc/etcd2/ca.pem", "644"),
    ("pki/ca.pem", "/usr/local/share/ca-certificates/etcd.crt", "644"),
    (f"pki/members/{NAME}.pem", f"/etc/etcd2/{NAME}.pem", "644"),
    (f"pki/members/{NAME}-key.pem", f"/etc/etcd2/{NAME}-key.pem", "600"),
):
    files.put(src=src, dest=dest, user="etcd", group="etcd", mode=mode)
server.shell(name="Trust the CA", commands=["update-ca-certificates"])
CERTIFICATES = f"""\
[Service]
Environment="ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379,http://127.0.0.1:4001"
Environment="ETCD_CERT_FILE=/etc/etcd2/{NAME}.pem"
Environment="ETCD_KEY_FILE=/etc/etcd2/{NAME}-key.pem"
Environment="ETCD_TRUSTED_CA_FILE=/etc/etcd2/ca.pem"
Environment="ETCD_CLIENT_CERT_AUTH=true"
Environment="ETCD_PEER_CERT_FILE=/etc/etcd2/{NAME}.pem"
Environment="ETCD_PEER_KEY_FILE=/etc/etcd2/{NAME}-key.pem"
Environment="ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd2/ca.pem"
Environment="ETCD_PEER_CLIENT_CERT_AUTH=true"
"""
files.put(src=StringIO(CERTIFICATES), dest="/etc/systemd/system/etcd2.service.d/30-certs.conf", mode="644")
