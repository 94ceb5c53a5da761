"""Where each of a lab's clients stands, what it uses, and the command line that sends it there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.lab.clients.crowd import PLAIN, SYNCED
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network
from orchestrator.lab.provisioning import credentials

MODULE = "orchestrator.lab.clients.probe"
CROWD = "orchestrator.lab.clients.crowd"
OF_THEIR_OWN = (PLAIN, SYNCED)  # kinds of clients that come from addresses of their own


@dataclass(frozen=True, slots=True)
class Post:
    """One prober's place, what it writes through (without URLs: every member), and how it does so."""

    name: str
    namespace: str
    api: Literal["v2", "v3"]
    urls: tuple[str, ...] = ()
    interval_ms: float = 10.0
    patience_s: float = 5.0
    lease_ttl_s: int = 5
    is_watched: bool = False
    module: str = MODULE
    options: tuple[str, ...] = ()


def of_members(lab: Lab, *, leisure: float = 1.0) -> Post:
    """Return the main prober's post: on the bastion, with every member to choose from.

    ``leisure`` is how much longer than usual a client waits between two writes: that spares the machine where
    no stall has to be measured.
    """
    api = _api(lab)
    return Post("members", lab.bastion, api, interval_ms=10.0 * leisure, is_watched=api == "v3")


def of_single_ways(lab: Lab, *, leisure: float = 1.0, has_crowd: bool = False) -> tuple[Post, ...]:
    """Return the posts of those who have one way only, if the plan has proxies or watches local clients.

    With a crowd they are there wherever there is a local port. They write less often, for there are many of
    them, and wait longer, for a restart is in their way.
    """
    cluster = lab.cluster
    if not (cluster.proxies or cluster.watch.units or has_crowd):
        return ()
    client, local = f"http://127.0.0.1:{cluster.ports.client}", f"http://127.0.0.1:{cluster.local_port}"
    interval_ms = (200.0 if has_crowd else 50.0) * leisure
    proxies = [Post(each.name, each.namespace, "v2", (client,), interval_ms, 10.0, 0) for each in lab.proxies]
    members = [
        Post(each.name, each.namespace, _api(lab), (local, client), interval_ms, 10.0, 0)
        for each in (lab.members if cluster.local_port else ())
    ]
    return (*proxies, *members)


def of_every_kind(lab: Lab, *, leisure: float = 1.0) -> Post:
    """Return the post of clients of every kind: on the bastion; gRPC ones use a member's own etcdctl."""
    etcdctl = lab.members[0].root / "usr/bin/etcdctl"
    plain, synced = map(str, network.more_addresses(lab.taken, len(OF_THEIR_OWN)))
    options: tuple[str, ...] = ("--plain-address", plain, "--synced-address", synced)
    options += ("--etcdctl", str(etcdctl)) if etcdctl.exists() else ()
    return Post(
        "every-kind",
        lab.bastion,
        _api(lab),
        interval_ms=200.0 * leisure,
        module=CROWD,
        options=options,
    )


def _api(lab: Lab) -> Literal["v2", "v3"]:
    return "v2" if lab.cluster.api == "v2" else "v3"


def arguments(lab: Lab, post: Post) -> Iterator[str]:
    """Yield the arguments that send a prober to its post."""
    tls, files = lab.cluster.tls, credentials.of_gateway_client(lab.cluster)
    yield from ("--port", str(lab.cluster.ports.client), "--api", post.api)
    yield from ("--ca", str(tls.ca), "--certificate", str(files.certificate))
    yield from ("--key", str(files.key), "--interval-ms", f"{post.interval_ms:g}")
    yield from ("--patience-s", f"{post.patience_s:g}", *post.options)
    yield from ("--extra-port", str(lab.cluster.clients.extra_port))
    if post.module == MODULE:
        yield from ("--lease-ttl-s", str(post.lease_ttl_s), *(("--watch",) if post.is_watched else ()))
    if lab.cluster.auth and post.api == "v3":
        yield from ("--user", lab.cluster.auth.user, "--password-file", str(lab.cluster.auth.password_file))
    for member in lab.cluster.members:
        yield from ("--address", member.ssh.host)
    for url in post.urls:
        yield from ("--endpoint", url)
