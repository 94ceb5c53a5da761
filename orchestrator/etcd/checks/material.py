"""The plan's certificates, on the bastion: what can be said of them before any host is asked."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from orchestrator.etcd.checks import certificates
from orchestrator.etcd.checks.site import Site
from orchestrator.host.checks import Remark, doubtful, fine, wrong
from orchestrator.pki.reading import lacking, readable, signs
from orchestrator.plan.model import Cluster

Dated = tuple[Path, datetime, datetime]  # a certificate's file, and from when to when it is valid
FAIL_DAYS, WARN_DAYS = 1, 30
_DAY_S = 86400
NEW_CA = (
    "nothing that it signs lasts longer, and no host uses it yet: make a new one. Move away the files that "
    "orchestrator certs PLAN lists, then once more: orchestrator certs PLAN; or have your own CA do it"
)


def leaves(cluster: Cluster) -> tuple[Path, ...]:
    """Return the file of everybody's own certificate, with any intermediates."""
    hosts = (host.certificate for host in cluster.etcd_hosts)
    return tuple(dict.fromkeys((cluster.tls.client_certificate, *hosts)))


def dates(site: Site) -> tuple[Dated, ...]:
    """Return from when to when each certificate is valid, those of the CA file too."""
    return tuple(
        (path, one.not_valid_before_utc, one.not_valid_after_utc)
        for path in (site.cluster.tls.ca, *leaves(site.cluster))
        for one in readable(path)
    )


def pairs(site: Site) -> Iterable[Remark]:
    """Judge keys, chains, dates, usages, and names against every URL."""
    good = fine(f"{len(leaves(site.cluster))} certificates, their keys, their chain and their names")
    return certificates.faults(site.everyone, site.now) or (good,)


def days_left(site: Site) -> Iterable[Remark]:
    """Judge how long each certificate is still valid."""
    left = [((end - site.now).total_seconds() / _DAY_S, path, end) for path, _, end in dates(site)]
    short = sorted(one for one in left if one[0] < WARN_DAYS)
    for days, path, end in short:
        when = f"{path} ends in {days:.1f} days" if days >= 0 else f"{path} ended {-days:.1f} days ago"
        remark = wrong if days < FAIL_DAYS else doubtful
        yield remark(f"{when} ({end:%Y-%m-%d %H:%M} UTC)", NEW_CA if path == site.cluster.tls.ca else "")
    if left and not short:
        days, path, _ = min(left)
        yield fine(f"the first to end is {path}, in {days:.0f} days")


def bundle(site: Site) -> Iterable[Remark]:
    """Judge what the CA file holds."""
    path = site.cluster.tls.ca
    held = readable(path)
    if not held:
        yield wrong(f"{path} holds no certificate")
        return
    for number, one in enumerate(held, start=1):
        which = f"{path}: certificate {number} ({one.subject.rfc4514_string()})"
        if not signs(one):
            yield wrong(
                f"{which} is not a CA's", "take it out of the file, or issue the CA anew with CA:TRUE"
            )
        elif missing := lacking(one):
            yield wrong(f"{which} lacks the extended key usage {missing}, and so does all that it signs")
    if len(held) > 1:
        names = ", ".join(one.subject.rfc4514_string() for one in held)
        yield doubtful(
            f"{path} holds {len(held)} certificates, and what any of them signs is accepted: {names}",
            "leave only the CA that signed the members and their clients, unless you are changing CAs",
        )
    elif signs(held[0]) and not lacking(held[0]):
        yield fine(f"{path}: {held[0].subject.rfc4514_string()}")


def intermediates(site: Site) -> Iterable[Remark]:
    """Judge the certificates between the leaves and the CA."""
    chains = {path: readable(path)[1:] for path in leaves(site.cluster)}
    troubles = []
    for path, chain in chains.items():
        for one in chain:
            which = f"{path}: intermediate {one.subject.rfc4514_string()}"
            if not signs(one):
                troubles.append(wrong(f"{which} may not sign certificates"))
            elif missing := lacking(one):
                troubles.append(wrong(f"{which} lacks the extended key usage {missing}"))
    yield from troubles
    count = sum(map(len, chains.values()))
    if not troubles:
        yield fine(f"{count} intermediates, with every usage" if count else "there are none")


def key_files(site: Site) -> Iterable[Remark]:
    """Judge who may read the private keys on the bastion."""
    paths = dict.fromkeys((site.cluster.tls.client_key, *(host.key for host in site.cluster.etcd_hosts)))
    modes = {path: path.stat().st_mode & 0o777 for path in paths if path.exists()}
    open_ = {path: mode for path, mode in modes.items() if mode & 0o077}
    for path, mode in open_.items():
        yield doubtful(f"{path} has mode {mode:04o}: others than its owner get at it", f"chmod 600 {path}")
    if not open_:
        yield fine(f"{len(modes)} keys, for their owner alone")
