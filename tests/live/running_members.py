"""What a member runs with and what its host keeps, seen from outside of the program that is tested."""

import re

from live.stories import fingerprint, shell
from ruamel.yaml import YAML

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab

PID = "$(systemctl show -p MainPID --value etcd2)"
# What a migration is there to change. Everything else is the operator's.
CHANGED = re.compile(r"-urls$|^initial-cluster$|cert|key-file$|trusted-ca-file$|-transport-security$")
EFFECTIVE = (
    "Id,LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,Environment,EnvironmentFiles,User,Group,"
    "UMask,Type,Restart,LimitNOFILE,TimeoutStartUSec,WorkingDirectory"
)
Settings = dict[str, str]


def command_line(host: Host) -> list[str]:
    return shell(host, f"tr '\\0' '\\n' < /proc/{PID}/cmdline").splitlines()


def variables(host: Host) -> Settings:
    reported = shell(host, f"tr '\\0' '\\n' < /proc/{PID}/environ | grep ^ETCD_ | sort").splitlines()
    found = (line.removeprefix("ETCD_").split("=", 1) for line in reported)
    return {name.lower().replace("_", "-"): value for name, value in found}


def settings(host: Host) -> Settings:
    """A running member's settings, as etcd weighs them: a file alone, else variables and above them flags."""
    words, flags = command_line(host)[1:], dict[str, str]()
    for number, word in enumerate(words):
        name, equals, value = word.lstrip("-").partition("=")
        follows = words[number + 1 :][:1]
        if word.startswith("-"):
            flags[name] = value if equals else "".join(w for w in follows if not w.startswith("-")) or "true"
    found = {**variables(host), **flags}
    if "config-file" in found:
        read = YAML(typ="safe").load((host.root / found["config-file"].lstrip("/")).read_text())
        return {name: str(value) for name, value in read.items()}
    return found


def others(host: Host) -> Settings:
    """The settings that no migration has to change."""
    return {name: value for name, value in settings(host).items() if not CHANGED.search(name)}


def running(host: Host) -> str:
    """The member's command line, variables and unit, as systemd has it in effect."""
    unit = shell(host, f"systemctl cat etcd2.service; systemctl show -p {EFFECTIVE} etcd2.service")
    return f"{command_line(host)}\n{variables(host)}\n{unit}"


def configuration(lab: Lab) -> dict[str, str]:
    """Every file of the hosts' configuration, with content, mode, owner and time; not the trust store's own.

    And the directory of etcd's data, with modes and owners.
    """
    files = {name: text for name, text in fingerprint(lab).items() if re.match(r"[^:]+:etc/", name)}
    kept = {name: text for name, text in files.items() if ":etc/ssl/certs/" not in name}
    data = "find /var/lib/etcd -maxdepth 3 -type d -printf '%p %m %u:%g\\n' | sort"
    return {**kept, **{f"{host.name}:data": shell(host, data) for host in lab.hosts}}
