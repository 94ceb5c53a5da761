"""What brings the members of a cluster to where a run may begin, in commands as they are typed there."""

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from orchestrator.etcd import effective, endpoints, login, overlap, settings
from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.install import drop_ins, said
from orchestrator.etcd.install.unit import Unit
from orchestrator.plan.facts import Target
from orchestrator.plan.model import EtcdHost
from orchestrator.text import bracketed, shown


def etcdctl(one: Target) -> str:
    """Return the words that begin a command for a member on its own host, through the v3 interface."""
    endpoint = endpoints.of(one, one.found.environment)
    return f"ETCDCTL_API=3 {login.typed(one.cluster)}etcdctl {shlex.join(endpoint.v3)}"


def defragment(one: Target) -> str:
    """Return the command that gives back to the disk what was compacted."""
    return f"{etcdctl(one)} --command-timeout=60s defrag"


def one_version(site: Site, servers: Mapping[str, str]) -> str:
    """Say which members get another version, and how they come to run it."""
    newest = max(servers.values(), key=lambda text: [int(part) for part in re.findall(r"\d+", text)])
    units = {one.name: f"{one.etcd.service}.service" for one in site.members}
    others = [f"on {name}: systemctl restart {units[name]}" for name, one in servers.items() if one != newest]
    return (
        f"one member at a time: install etcd {newest} there as well, then {'; '.join(others)} "
        "(wait until it is healthy before the next one)"
    )


def over_https(one: Target) -> str:
    """Say how a client comes to a member's https, where it is served beside http."""
    needed = "the CA and a client certificate" if one.cluster.tls.client_cert_auth else "the CA"
    return f"have it speak to {', '.join(overlap.served(one))} with {needed}"


def end_of_downgrade(site: Site) -> str:
    """Return the command that ends a downgrade; etcdctl 3.5.1 has no word for it."""
    one = site.members[0]
    endpoint = endpoints.of(one, one.found.environment)
    url = shlex.join((*endpoint.curl, f"{endpoint.url}/v3/maintenance/downgrade"))
    body = shlex.quote('{"action":"CANCEL"}')
    return (
        f"finish it, or on {one.name}: curl --noproxy '*' {url} --data {body} "
        "(etcd 3.5.1 answers 'request timed out' and does it all the same: check again)"
    )


def health(site: Site, name: str) -> str:
    """Say where a member's own words are, and what helps one that runs and answers nothing."""
    unit = f"{site.cluster.member(name).service}.service"
    return (
        f"on {name}: systemctl status {unit}; journalctl --unit {unit} --lines 50; if it runs, answers "
        f"nothing and all others are healthy: systemctl restart {unit}"
    )


def alarm(site: Site, raised: str) -> str:
    """Say how a full database is made smaller (etcd's documentation, "Maintenance")."""
    first = site.members[0]
    if "NOSPACE" not in raised:
        return (
            "replace the member whose data differs (etcd's documentation, 'Data Corruption'), and only then "
            f"on {first.name}: {etcdctl(first)} alarm disarm"
        )
    smaller = "; ".join(f"on {one.name}: {defragment(one)}" for one in site.members)
    revision = f"{etcdctl(first)} endpoint status -w json | sed 's/.*\"revision\":\\([0-9]*\\).*/\\1/'"
    return (
        f'1. on {first.name}: {etcdctl(first)} compact "$({revision})" (old revisions are gone then); '
        f"2. one member at a time, {smaller}; 3. on {first.name}: {etcdctl(first)} alarm disarm; if it comes "
        "back, the data are more than ETCD_QUOTA_BACKEND_BYTES allows (2 GiB if it is not set): set a larger "
        "one on every member, and restart them one at a time"
    )


def counts(one: Target) -> str:
    """Return the commands that count keys and leases; 3.3 and 3.4 have no --count-only."""
    return (
        f"count them yourself, on {one.name}: {etcdctl(one)} get '' --prefix --keys-only --limit=1 -w json "
        f'(its "count" is the number of keys), and {etcdctl(one)} lease list'
    )


def advertise(host: EtcdHost, urls: Iterable[str], running: Process, read: Unit) -> str:
    """Say how a member comes to advertise the plan's address in place of no host's, where that is set."""
    wanted = ",".join(dict.fromkeys(_at(host.address, url) for url in urls))
    name, unit = effective.flag(settings.ADVERTISE_CLIENT), f"{host.service}.service"
    again = f"systemctl daemon-reload && systemctl restart {unit}"
    if running.configuration:
        return f"write {name}: {wanted} into {shown(running.configuration, quote='')}, then: {again}"
    if settings.ADVERTISE_CLIENT in running.flags:
        # a variable beside its flag is fatal from etcd 3.4 on
        return f"let its flag be --{name}={wanted} (systemctl cat {unit} shows where), then: {again}"
    places = [one.path for one in said.said(read, {}) if one.name == settings.ADVERTISE_CLIENT]
    place = places[-1] if places else ""
    is_later = place in read.drop_ins and PurePosixPath(place).name > drop_ins.BEFORE_OURS
    if place in read.files or is_later:  # what would beat our line
        return f"let it be {settings.ADVERTISE_CLIENT}={wanted} in {shown(place, quote='')}, then: {again}"
    lines = drop_ins.setting({settings.ADVERTISE_CLIENT: wanted}).splitlines()
    return f"{drop_ins.command(host, drop_ins.BEFORE_OURS, lines)} && systemctl restart {unit}"


def _at(address: str, url: str) -> str:
    if not settings.is_unspecified(url):
        return shown(url, quote="", limit=len(url))
    parts = urlsplit(url)
    return f"{parts.scheme}://{bracketed(address)}" + (f":{parts.port}" if parts.port else "")
