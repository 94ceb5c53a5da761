"""Hand the leadership over if this member has it, restart it, and wait until it serves again."""

from pyinfra import host
from pyinfra.operations import server, systemd


def restart(scheme: str, local: int) -> None:
    """Restart the member behind this deploy; ``local`` is a port on loopback that speaks http until then."""
    address = host.data.ssh_hostname
    tls = (
        f"--cacert=/etc/etcd2/ca.pem --cert=/etc/etcd2/{host.name}.pem --key=/etc/etcd2/{host.name}-key.pem"
        if scheme == "https"
        else ""
    )
    ask = f"etcdctl --endpoints=http://127.0.0.1:{local}"
    server.shell(
        name="Hand the leadership over",
        commands=[
            f"""if {ask} endpoint status | cut -d, -f5 | grep -q true; then
                {ask} move-leader $({ask} member list | grep -v ' {host.name},' | head -n 1 | cut -d, -f1)
            fi"""
        ],
        _env={"ETCDCTL_API": "3"},
    )
    # By its own name: what pyinfra knows of services has no aliases.
    systemd.service(name="Restart it", service="etcd", restarted=True, daemon_reload=True)
    server.shell(
        name="Wait until it is healthy",
        commands=[
            f"""for try in $(seq 600); do
                etcdctl {tls} --endpoints={scheme}://{address}:2379 endpoint health >/dev/null 2>&1 && exit 0
                sleep 0.1
            done
            exit 1"""
        ],
        _env={"ETCDCTL_API": "3"},
    )
