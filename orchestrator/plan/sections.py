"""The plan's sections: what is the same for all hosts, with every field, its default and its meaning."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from orchestrator.plan.hosts import ClientHost
from orchestrator.plan.kinds import (
    Become,
    ClientPath,
    Command,
    Config,
    Directory,
    Duration,
    EtcdUser,
    File,
    Jumps,
    LocalPort,
    Name,
    OrAuto,
    Pattern,
    PeerAuth,
    Port,
    ProbeFailures,
    ProbeRate,
    Section,
    Service,
    Template,
    TemplateFile,
    User,
)


class Tls(Section):
    """Certificates. Files are on the machine that runs the orchestrator; ``directory`` is on the hosts."""

    ca: File = Field(description="Certificate authority that signed all of them.", examples=["pki/ca.pem"])
    certificate: Template = Field(
        description="Each host's certificate; `{name}` is the host's name.", examples=["pki/{name}.pem"]
    )
    key: Template = Field(
        description="Each host's private key; `{name}` is the host's name.",
        examples=["pki/{name}-key.pem"],
    )
    client_certificate: File = Field(
        description="What the orchestrator shows when it checks.", examples=["pki/client.pem"]
    )
    client_key: File = Field(description="Private key of it.", examples=["pki/client-key.pem"])
    directory: Directory = Field(
        description="Directory on the hosts for CA, certificate and key.", examples=["/etc/etcd2"]
    )
    client_cert_auth: bool = Field(
        default=True, description="Whether clients must show a certificate.", examples=["true"]
    )
    peer_cert_auth: PeerAuth = Field(
        default=True,
        description="Whether members must show one to each other; only `true`.",
        examples=["true"],
    )
    trust: Literal["system", "files"] = Field(
        "system",
        description="Whether the CA also goes into the hosts' own trust store (`system`) or not (`files`).",
        examples=["files"],
    )


class Auth(Section):
    """A user of etcd's own, where its authentication is on (v3); it needs the role `root`."""

    user: EtcdUser = Field(description="Name of the user.", examples=["root"])
    password_file: File = Field(
        description="File with its password, one line, that nobody else can read.", examples=["root.password"]
    )


class Ports(Section):
    """TCP ports, the same on every member and different from each other."""

    client: Port = Field(2379, description="etcd's client port.", examples=[2379])
    peer: Port = Field(2380, description="etcd's peer port.", examples=[2380])
    local: LocalPort = Field(
        "auto",
        description=(
            "Port for unencrypted clients on loopback only, or `none`; `auto` is 4001 where etcd listens on "
            "that already or `watch` names units, and `none` elsewhere."
        ),
        examples=[4001],
    )
    trial: Port = Field(
        12380,
        description="Port, open between the members, on which their certificates are tried out for a minute.",
        examples=[12380],
    )


class Patience(Section):
    """How long to wait. Durations are written with their unit: `ms`, `s` or `m`."""

    gate_s: Duration = Field(
        "90s",
        alias="gate",
        description="How long a check may take to hold, and a vanished host may stay away.",
        examples=["90s"],
        validate_default=True,
    )
    pause_s: Duration = Field(
        "500ms",
        alias="pause",
        description="Longest pause between two looks at what does not hold yet. "
        "The first is 50 ms, each further one twice as long.",
        examples=["500ms"],
        validate_default=True,
    )

    def longer(self, takes_s: float) -> "Patience":
        """Return the patience with what takes that long by itself."""
        return self.model_copy(update={"gate_s": self.gate_s + takes_s})

    def after(self, spent_s: float) -> "Patience":
        """Return what is left of it; one that is used up still allows one look."""
        return self.model_copy(update={"gate_s": max(0.0, self.gate_s - spent_s)})


class Watch(Section):
    """Local clients of the members, watched while they restart. A list of units alone is enough."""

    units: tuple[Service, ...] = Field(
        (), description="systemd units on the members, without `.service`.", examples=["[fleet, flanneld]"]
    )
    quiet_s: Duration = Field(
        "10s",
        alias="quiet",
        description="How long they must log no error after a change; shorter than `patience.gate`.",
        examples=["10s"],
        validate_default=True,
    )
    errors: Pattern = Field(
        r"(?i)\b(error|failed|fatal|panic|refused|timed? ?out|unreachable)\b",
        description="Regular expression (Python's) of a log line that counts as an error.",
        examples=[r"'(?i)\b(error|failed)\b'"],
    )


class Probe(Section):
    """What `run --probe` may see of the cluster before it stops the run. Without that option nobody looks."""

    stall_s: Duration = Field(
        "2s",
        alias="stall",
        description="Longest time in which none of its writes is acknowledged.",
        examples=["2s"],
        validate_default=True,
    )
    failures: ProbeFailures = Field(
        0, description="How many of its writes, reads and lease renewals may fail.", examples=[0]
    )
    rate: ProbeRate = Field(10, description="Writes a second, at most 100; each is read back.", examples=[10])


class ClientFile(Section):
    """A file of a client's that is replaced as a whole; its mode and its owner stay."""

    path: ClientPath = Field(
        description="Path on the host; the file has to be there.", examples=["/etc/patroni/config.yml"]
    )
    content: TemplateFile = Field(
        description="File with the new content, beside the plan; `{name}` is the host's name.",
        examples=["patroni/{name}.yml"],
    )

    def content_for(self, host: str) -> Path:
        """Return the file with a host's new content."""
        return Path(str(self.content).replace("{name}", host))


class ClientUnit(Section):
    """A client that systemd runs on hosts of the plan, moved to https by the plan, one host at a time."""

    unit: Service = Field(description="systemd unit, without `.service`.", examples=["patroni"])
    on: tuple[Name, ...] = Field(
        (),
        description=(
            "Names of the hosts where it runs: members', and those of `clients.hosts`. Without it, every "
            "member's; a plan with `clients.hosts` has to write it."
        ),
        examples=["[server1, app1]"],
    )
    files: tuple[ClientFile, ...] = Field(
        description="Its files, at least one.",
        examples=['[{path: /etc/patroni/config.yml, content: "patroni/{name}.yml"}]'],
    )
    restart: Literal["reload", "restart", "none"] = Field(
        "restart",
        description="How the unit comes to read them: by `systemctl reload`, `systemctl restart`, or not.",
        examples=["reload"],
    )
    before: Command | None = Field(
        None,
        description=(
            "Shell command, run as root on the host before that, with the new files in place; it may run "
            "twice."
        ),
        examples=["patronictl -c /etc/patroni/config.yml pause --wait"],
    )
    after: Command | None = Field(
        None,
        description="Shell command, run as root on the host behind it; it may run twice.",
        examples=["patronictl -c /etc/patroni/config.yml resume --wait"],
    )
    healthy: Command | None = Field(
        None,
        description=(
            "Shell command, run as root on the host, that changes nothing: it ends with 0 within 10 s if "
            "the client is well. It is asked before a run, and until it holds behind each step."
        ),
        examples=["patronictl -c /etc/patroni/config.yml list"],
    )


class Clients(Section):
    """How clients come to https: it is served beside http for a while, and http goes when they have moved."""

    overlap: OrAuto = Field(
        "auto",
        description=(
            "Whether clients are served over https beside http until `switch`; `auto` does so if a client "
            "was seen that speaks plain http over the network."
        ),
        examples=["true"],
    )
    extra_port: Port = Field(
        2378,
        description=(
            "Port for https beside http where etcd cannot serve both on one (below 3.5); "
            "it stays open to the end."
        ),
        examples=[2378],
    )
    quiet_s: Duration = Field(
        "10m",
        alias="quiet",
        description="How long no client may have spoken plain http over the network before http is closed.",
        examples=["10m"],
        validate_default=True,
    )
    close: tuple[Literal["local", "extra"], ...] = Field(
        (),
        description=(
            "Ports that a last round closes, with one more restart, once nobody uses them: the local port, "
            "and the extra port."
        ),
        examples=["[local, extra]"],
    )
    cert_auth: Literal["accept", "switch"] = Field(
        "accept",
        description=(
            "From which round on a client has to show a certificate over https: from the first restart "
            "(`accept`), or only once http is closed (`switch`), so that clients change the scheme first."
        ),
        examples=["switch"],
    )
    units: tuple[ClientUnit, ...] = Field(
        (),
        description="Clients that systemd runs on hosts of the plan, and that the plan moves to https.",
        examples=["[{unit: patroni, files: [...]}]"],
    )
    hosts: tuple[ClientHost, ...] = Field(
        (),
        description="Hosts of such clients that are no members; each is named in `on` of a unit.",
        examples=["[{name: app1, address: 198.18.0.121}]"],
    )

    def units_on(self, host: str) -> tuple[ClientUnit, ...]:
        """Return the units that run on a host of the plan; without ``on`` that is each member's."""
        return tuple(unit for unit in self.units if not unit.on or host in unit.on)


class SharedSsh(Section):
    """How the hosts are reached. What is not written here is taken from `~/.ssh/config`, if that says it."""

    user: User = Field("root", description="User to log in as.", examples=["admin"])
    port: Port = Field(22, description="TCP port of the SSH server.", examples=[2222])
    identity_file: File | None = Field(
        None,
        description="Private key to log in with; without it, those of `~/.ssh/config` and of the SSH agent.",
        examples=["keys/id_ed25519"],
    )
    known_hosts: File = Field(
        "~/.ssh/known_hosts",
        description="File with the hosts' own keys; a host that is not in it is refused.",
        examples=["keys/known_hosts"],
        validate_default=True,
    )
    become: Become = Field(
        "none",
        description="How to become root: `none` (the user is root), `sudo`, or `doas` (without a password).",
        examples=["sudo"],
    )
    config: Config | None = Field(
        None,
        description="OpenSSH configuration to read instead of `~/.ssh/config`, or `none` to read none.",
        examples=["ssh_config"],
    )
    jump: Jumps | None = Field(
        None,
        description="Jump hosts on the way, `[user@]host[:port]`, with commas between; `none` to use none.",
        examples=["ops@bastion.example.com"],
    )
