"""Hosts that no run may begin on are found before the first change, with the place and the fix."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from live.conftest import ClusterHosts
from live.faults.refusals import refused

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab

LOGIN_REFUSED = 4
DIRECTORY, DATA = "/etc/etcd2", "/var/lib/etcd"


@pytest.fixture
def lab(cluster_hosts: ClusterHosts) -> Lab:
    """The file's own lab: every case puts it back as it was."""
    return cluster_hosts.lab


def other_plan(lab: Lab, *changes: tuple[str, str]) -> str:
    """Write a plan that differs from the lab's own; return its name."""
    text = lab.plan.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (lab.directory / "other.yaml").write_text(text)
    return "other.yaml"


@contextmanager
def mounted(host: Host, path: str, *options: str) -> Iterator[None]:
    """Mount a file system over a directory of a host: it is all that is seen there meanwhile."""
    host.run(["mkdir", "-p", path])
    host.run(["mount", *options, path])
    try:
        yield
    finally:
        host.run(["umount", path])
        if path == DIRECTORY:
            host.run(["rmdir", path])


SMALL = ("-t", "tmpfs", "-o", "size=4m", "tmpfs")
READ_ONLY = ("-t", "tmpfs", "-o", "size=64m,ro", "tmpfs")


def test_a_full_disk_for_files(lab: Lab) -> None:
    reported = ("server2: 4 MiB left for /etc/etcd2, at least 16 are needed", "free space")
    small = mounted(lab.host("server2"), DIRECTORY, *SMALL)
    refused(lab, "a full disk on a host", "disk", *reported, broken=small)


def test_a_full_disk_for_data(lab: Lab) -> None:
    reported = ("server3: 4 MiB left for /var/lib/etcd", "at least 256 are needed")
    host = lab.host("server3")
    refused(lab, "a full disk under etcd's data", "disk", *reported, broken=small_data(host))


@contextmanager
def small_data(host: Host) -> Iterator[None]:
    """A small disk where the member's data lies.

    Each half minute etcd looks which of its old files may go, and ends if their directories are not there.
    """
    data = data_of(host)
    with mounted(host, data, *SMALL):
        host.run(["mkdir", "-p", f"{data}/member/snap", f"{data}/member/wal"])
        yield


def data_of(host: Host) -> str:
    """Where the member's data lies."""
    script = "tr '\\0' '\\n' < /proc/$(pidof etcd)/environ | sed -n s/^ETCD_DATA_DIR=//p"
    return host.run(["sh", "-c", script]).stdout.strip()


def test_a_read_only_directory(lab: Lab) -> None:
    reported = ("server2: /etc/etcd2 is read-only", "mount -o remount,rw")
    refused(
        lab,
        "a read-only directory on a host",
        "disk",
        *reported,
        broken=mounted(lab.host("server2"), DIRECTORY, *READ_ONLY),
    )


@contextmanager
def closed_directory(host: Host) -> Iterator[None]:
    """A directory for the certificates that only root may enter: etcd could not read its key there."""
    host.run(["install", "-d", "-m", "0700", DIRECTORY])
    try:
        yield
    finally:
        host.run(["rmdir", DIRECTORY])


def test_a_key_that_the_service_could_not_read(lab: Lab) -> None:
    reported = ("server2: etcd may not enter /etc/etcd2", "chmod o+x /etc/etcd2")
    closed = closed_directory(lab.host("server2"))
    refused(lab, "a directory that etcd's user may not enter", "directory", *reported, broken=closed)


@contextmanager
def users_without_sudo(lab: Lab) -> Iterator[None]:
    """A login user on every host, whom sudo does not know."""
    for host in lab.hosts:
        host.run(["useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", "anna"])
        host.run(["cp", "-r", "/root/.ssh", "/home/anna/.ssh"])
        host.run(["chown", "-R", "anna:anna", "/home/anna/.ssh"])
    try:
        yield
    finally:
        for host in lab.hosts:
            host.run(["userdel", "--remove", "--force", "anna"], check=False)


def test_sudo_is_refused(lab: Lab) -> None:
    plan = other_plan(lab, ("user: root", "user: anna"), ("become: none", "become: sudo"))
    reported = (
        "sudo refused anna: sudo: a password is required",
        "anna ALL=(root) NOPASSWD: ALL",
        "with visudo",
    )
    refused(
        lab,
        "a login user whom sudo refuses",
        "login",
        *reported,
        plan=plan,
        exits=(LOGIN_REFUSED, 5),
        broken=users_without_sudo(lab),
    )


def test_a_user_who_is_not_there(lab: Lab) -> None:
    plan = other_plan(lab, ("user: root", "user: nobody-here"))
    reported = ("nobody-here@198.18.0.102:22 refused the login with", "~nobody-here/.ssh/authorized_keys")
    refused(lab, "a wrong login user", "login", *reported, plan=plan, exits=(LOGIN_REFUSED, 5))


@contextmanager
def changed_key(lab: Lab, name: str, other: str) -> Iterator[None]:
    """One host is known by another one's key, as when somebody stands in its place."""
    known = lab.directory / "keys" / "known_hosts"
    text = known.read_text()
    keys = dict(line.split(" ", 1) for line in text.splitlines(keepends=True))
    here, there = lab.host(name).entry.address, lab.host(other).entry.address
    known.write_text("".join(f"{host} {key}" for host, key in {**keys, here: keys[there]}.items()))
    try:
        yield
    finally:
        known.write_text(text)


def test_a_host_key_that_changed(lab: Lab) -> None:
    refused(
        lab,
        "a host key that is not the known one",
        "login",
        "server3: ",
        "SHA256:",
        "keys/known_hosts knows it by",
        "(line 3): the host key HAS CHANGED",
        exits=(LOGIN_REFUSED, 5),
        broken=changed_key(lab, "server3", "server1"),
    )


@contextmanager
def stopped(lab: Lab, name: str) -> Iterator[None]:
    """A member that is down."""
    host = lab.host(name)
    host.run(["systemctl", "stop", host.unit])
    try:
        yield
    finally:
        host.run(["systemctl", "start", host.unit])


def test_a_member_that_is_down_already(lab: Lab) -> None:
    reported = ("server2: etcd2.service is inactive (dead)", "systemctl status etcd2.service")
    refused(lab, "a member that is down already", "unit", *reported, broken=stopped(lab, "server2"))


def test_a_member_that_the_plan_does_not_name(lab: Lab) -> None:
    plan = other_plan(
        lab,
        ("  - {name: server3, address: 198.18.0.103}\n", ""),
        ("strategy: bridge", "strategy: bridge\naccept_downtime: true"),
    )
    reported = ("(server3, http://198.18.0.103:2380), the plan has not", "add it to the plan")
    refused(lab, "a member that the plan does not name", "registry", *reported, plan=plan)
