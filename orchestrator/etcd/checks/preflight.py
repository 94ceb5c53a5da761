"""The checklist: every check before the first change, why it is there, and what fixes what it finds."""

from orchestrator.etcd.checks import (
    client_units,
    clients,
    health,
    host,
    http_proxies,
    listeners,
    local_clients,
    material,
    neighbours,
    origins,
    ports,
    registry,
    room,
    routes,
    sandbox,
    trials,
    unit,
    versions,
)
from orchestrator.etcd.checks.item import FACTS, LOGIN, Item, on_each_etcd, on_each_host, on_the_bastion

# In the order of the report: from getting onto a host to what its certificates will be used for.
CHECKLIST: tuple[Item, ...] = (
    LOGIN,
    Item(
        "tools",
        looks="the shell, and each program that our scripts call",
        why="a missing program would fail in the middle of a step",
        fix="install the packages that hold them: apt-get install PACKAGE",
        make=on_each_host(host.tools),
    ),
    Item(
        "lock",
        looks="who holds the host's lock",
        why="two runs at once would undo each other's steps, so only one gets the locks",
        fix="wait for that run, or resume it; if its process has ended: orchestrator unlock PLAN",
        make=on_each_host(host.lock_is_free),
    ),
    Item(
        "clock",
        looks="the host's clock against the bastion's, and against the dates of every certificate",
        why="a host whose clock is wrong refuses certificates that are valid, or trusts ones that are not",
        fix=(
            "timedatectl set-ntp true (needs systemd-timesyncd or chrony), and wait until timedatectl says "
            "'System clock synchronized: yes'; if all hosts are off alike, do that on the bastion"
        ),
        make=host.clocks,
    ),
    Item(
        "disk",
        looks=(
            "space, inodes and the right to write where files are put, where etcd keeps its data, "
            "and where that is saved"
        ),
        why="a full disk stops etcd at its next restart, or leaves a step half done",
        fix="free space on the file system that the evidence names: df -h PATH",
        make=on_each_etcd(room.disks),
    ),
    Item(
        "directory",
        looks="whether the service's user may enter the certificates' directory, and root alone write there",
        why=(
            "etcd does not start with a certificate that it cannot read, and root must not write where "
            "somebody else can put a link in a file's place"
        ),
        fix="chmod o+x on the directory that is named, or name another in the plan (tls.directory)",
        make=on_each_etcd(room.entrances),
    ),
    Item(
        "other etcds",
        looks="whether another etcd on the host uses certificate files that this plan would put there",
        why="whichever cluster is rolled back would take them away, and the other's members lose each other",
        fix=(
            "name a directory of this cluster's own in the plan (tls.directory), and move none of these "
            "files: that etcd reads them at each handshake"
        ),
        make=on_each_etcd(neighbours.other_etcds),
    ),
    Item(
        "sandbox",
        looks="what ProtectHome=, InaccessiblePaths= and the like of the unit hide from its process",
        why="what this host has in the certificates' directory is not what a sandboxed etcd finds there",
        fix="name a directory in the plan that the unit shows (tls.directory)",
        make=on_each_etcd(sandbox.sandboxes),
        on_resume=True,
    ),
    Item(
        "unit",
        looks=(
            "the systemd unit: that it exists, is active and enabled, its type, and its start timeout, also "
            "against how long its last start took"
        ),
        why="every member is restarted by its unit, and must come back by itself within its start timeout",
        fix="systemctl status, and systemctl edit for what is missing",
        make=on_each_etcd(unit.units),
    ),
    Item(
        "origin",
        looks="where settings come from: flags, a configuration file, EnvironmentFile=, other drop-ins",
        why="a flag or a later drop-in overrides our settings without an error",
        fix="let these settings stand where etcd reads them before ours: in the unit, in one place each",
        make=on_each_etcd(origins.origins),
        on_resume=True,
    ),
    Item(
        "own files",
        looks="before a rollback: what your own files say of the settings that it gives back to them",
        why="a rollback takes our files away and restarts each member with what yours say by then",
        fix="put yours back as they were before the run; see /var/lib/orchestrator/RUN/files there",
        make=on_each_etcd(origins.left_behind),
        on_rollback=True,
    ),
    Item(
        "http proxy",
        looks="HTTPS_PROXY and HTTP_PROXY of process and unit, and whether NO_PROXY exempts the members",
        why="etcd's dialler obeys them over https: the quorum would be lost when the last member switches",
        fix="exempt every member's address: NO_PROXY",
        make=on_each_etcd(http_proxies.http_proxies),
        on_resume=True,
    ),
    Item(
        "ports",
        looks="which programs listen on the client and the peer port, and on the local one if there is one",
        why="etcd does not start if another program has one of its ports",
        fix="stop the other program, or choose another port in the plan",
        make=on_each_etcd(ports.ports),
    ),
    Item(
        "listeners",
        looks="the members' client listeners: that one of them speaks http",
        why="until a member is switched it is asked over http, however its other listeners are secured",
        fix="add an http listener on loopback to ETCD_LISTEN_CLIENT_URLS",
        make=listeners.asked_over_http,
    ),
    Item(
        "trial",
        looks="the port, the memory and the systemd that the trial of the member's next start needs",
        why="each member's unit is started under another name first, beside it, and these find each other",
        fix="open that port between the members, or name another in the plan (ports.trial)",
        make=trials.of_members,
    ),
    Item(
        "watch",
        looks="the local clients that the plan wants watched: that each unit is there, active and quiet",
        why="each restart waits until they are quiet again, so a unit that is not there stops a run half-way",
        fix="name units in the plan that run on every member (watch), or leave it out",
        make=local_clients.local_clients,
    ),
    Item(
        "moved clients",
        looks="the clients that the plan moves to https: that each unit is there, active, quiet and well",
        why="whether a client is well behind its step says nothing if it was not well before",
        fix="fix what the client reports, or take it out of the plan (clients.units)",
        make=client_units.moved_clients,
    ),
    Item(
        "versions",
        looks="each member's version, the cluster's, and whether a downgrade is in progress",
        why="with an upgrade in progress, a failure has two possible causes",
        fix="bring all members to one version first",
        make=versions.versions,
    ),
    Item(
        "registry",
        looks="the members as etcd has them registered, against the members in the plan",
        why="a member that is not in the plan would stay on http and lose the others",
        fix="make the plan say what the registry says",
        make=registry.registry,
    ),
    Item(
        "quorum",
        looks="that every member answers a read that needs a quorum, that they agree on a leader, and alarms",
        why="members restart one at a time, and the others must keep the quorum",
        fix="bring every member to health first: systemctl status and journalctl of its unit say why",
        make=health.quorum,
        passes_by=True,
    ),
    Item(
        "raft lag",
        looks="how many raft entries each member lags behind",
        why="a lagging member does not help the quorum when another one restarts",
        fix="wait until it has caught up; look at its disk and its network if it does not",
        make=health.lag,
        passes_by=True,
    ),
    Item(
        "counts",
        looks="how many keys and leases there are, and whether a member holds more than half a gigabyte",
        why=(
            "you will want to compare the numbers with those afterwards; and a member answers nobody while "
            "its keys are hashed"
        ),
        fix="count them yourself: etcdctl get '' --prefix --keys-only --limit=1 -w json, etcdctl lease list",
        make=versions.counts,
    ),
    Item(
        "clients",
        looks="which clients use the members' client ports over plain http, as every host's kernel sees it",
        why="from the round 'switch' on, a client port serves https only, and plain http clients are cut off",
        fix="have these clients speak https by then, or use a member's local port (ports.local) on its host",
        make=clients.clients,
    ),
    Item(
        "certificates",
        looks="keys that match, chains to the CA, dates, both usages, and names against every URL",
        why="a bad one stops etcd, or hides until the last member has switched and the quorum is lost",
        fix="issue the certificate again: orchestrator certs PLAN --renew, or your own CA",
        make=on_the_bastion(material.pairs),
    ),
    Item(
        "days left",
        looks=f"how long each certificate is valid: a warning below {material.WARN_DAYS} days",
        why="members that outlive their certificates lose each other, all at the same hour",
        fix="renew them first: orchestrator certs PLAN --renew, or your own CA",
        make=on_the_bastion(material.days_left),
    ),
    Item(
        "CA file",
        looks="that the CA file holds CAs only, and one alone",
        why="a certificate from any of them is accepted, and one that is no CA verifies nothing",
        fix="leave only the CA that signed the members and their clients",
        make=on_the_bastion(material.bundle),
    ),
    Item(
        "intermediates",
        looks="that each intermediate may sign, and takes no usage away",
        why="Go wants a usage along the whole chain, so an intermediate without it makes a good leaf useless",
        fix="have the intermediate issued again without extended key usages, or with both",
        make=on_the_bastion(material.intermediates),
    ),
    Item(
        "key files",
        looks="who may read the private keys on the bastion",
        why="anyone with a member's key can impersonate it",
        fix="chmod 600",
        make=on_the_bastion(material.key_files),
    ),
    Item(
        "source addresses",
        looks="from which addresses members dial each other, by their kernels, against their certificates",
        why="a peer's server compares the source address with the certificate's names, and health hides it",
        fix="name every source address: orchestrator certs PLAN --renew --san HOST=ADDRESS, or your own CA",
        make=routes.routes,
    ),
    FACTS,
)
