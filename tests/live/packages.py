"""Debian packages that some tests want on their hosts: a tree above the base system, built once and kept."""

import hashlib
import json
import shutil
from pathlib import Path

from orchestrator.lab.hosts.base_system import alone, cache_directory
from orchestrator.lab.machine.programs import run

TIMEOUT_S = 900.0
# Nothing is started here. The mirror's lists and the manuals are not kept.
INSTALLING = r"""
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
export DEBIAN_FRONTEND=noninteractive
apt() { apt-get --quiet --option=APT::Sandbox::User=root --option=DPkg::Options::=--force-unsafe-io "$@"; }
apt update
apt --yes --no-install-recommends install "$@"
apt clean
rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/* /usr/share/doc/*
"""


def layer(base: Path, *packages: str) -> Path:
    """Return the tree with these packages and what they need, installed first if it is not in the cache."""
    recipe = json.dumps([base.name, INSTALLING, packages])
    tree = cache_directory() / f"packages-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    with alone(cache_directory() / "lock"):
        if not tree.is_dir():
            _build(base, tree, packages)
    return tree


def _build(base: Path, tree: Path, packages: tuple[str, ...]) -> None:
    """Install them into an overlay on the base; its own part is the tree, once all of it is there."""
    unfinished = tree.with_name(f"{tree.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    upper, work, root = (unfinished / name for name in ("upper", "work", "root"))
    for place in (upper, work, root):
        place.mkdir(parents=True)
    upper.chmod(0o755)
    options = f"lowerdir={base},upperdir={upper},workdir={work}"
    run(["mount", "-t", "overlay", unfinished.name, "-o", options, str(root)])
    try:
        names = root / "etc/resolv.conf"
        names.write_text(Path("/etc/resolv.conf").read_text())
        run(["chroot", str(root), "sh", "-ec", INSTALLING, "sh", *packages], timeout_s=TIMEOUT_S)
        names.write_text("")
    finally:
        run(["umount", str(root)])
    upper.rename(tree)
    shutil.rmtree(unfinished)
