"""Whether a host's own files say what ours do: orchestrator/etcd/checks/in_place.py."""

from collections.abc import Callable

from engine.sourced import SourcedHost, in_a_configuration
from support.judging import Case, Change, Scene, down, gone, lies, says

from orchestrator.host.questions import Answer

Started = tuple[tuple[str, ...], dict[str, str], str]
UNIT = "/etc/systemd/system/etcd2.service.d"
CERTS = f"{UNIT}/30-certs.conf"
FILE, YAML = "/etc/default/etcd", "/etc/etcd.yml"
HTTP = "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380\n"


def edited(old: str, new: str, path: str = FILE) -> Change:
    """Have somebody's own file say something else."""

    def change(scene: Scene) -> None:
        files = scene.world.place(scene.target.name).files
        text, *how = files[path]
        assert old in text
        files[path] = (text.replace(old, new), *how)  # type: ignore[assignment]

    return change


def started(otherwise: Callable[[Started], Started]) -> Change:
    """Have the process be started in another way."""

    def change(scene: Scene) -> None:
        host = scene.world.place(scene.target.name)
        assert isinstance(host, SourcedHost)
        before, host.started = host.started, otherwise(host.started)
        assert before != host.started

    return change


def runs_without(name: str) -> Change:
    """Have the process be started without a variable."""

    def without(now: Started) -> Started:
        words, given, path = now
        return words, {each: given[each] for each in given if each != name}, path

    return started(without)


def runs_with(path: str) -> Change:
    """Have the process be started with another configuration file."""

    def with_it(now: Started) -> Started:
        words, given, ours = now
        return tuple(word.replace(ours, path) for word in words), given, path

    return started(with_it)


# A second file of theirs, read behind the first one and before ours: ours win, as long as they lie there.
ANOTHER = (
    lies("server1", "/etc/other.env", HTTP),
    lies("server1", f"{UNIT}/20-other.conf", "[Service]\nEnvironmentFile=/etc/other.env\n"),
)
SAYS_HTTP = "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380, not https"

# fmt: off
CASES = (
    Case("own_files_edited", "edited"),
    Case("own_files_edited", "edited", (edited("https:", "http:"),), f"{FILE} was changed since the run has edited it"),
    Case("own_files_edited", "edited", (gone("server1", CERTS),), f"{CERTS} is missing"),
    Case("own_files_edited", "edited", (runs_without("ETCD_CERT_FILE"),), "ETCD_CERT_FILE is not set"),
    Case("own_files_edited", "edited", ANOTHER, SAYS_HTTP),
    # with a configuration file, the process has to read ours: theirs goes back to what it said next
    Case("own_files_edited", "edited", layout=in_a_configuration),
    Case("own_files_edited", "edited", (runs_with(YAML),), f"runs with '{YAML}', and not with ours", layout=in_a_configuration),

    Case("running_from_own_files", "settled"),
    Case("running_from_own_files", "settled", (edited("https:", "http:"),), SAYS_HTTP),
    Case("running_from_own_files", "settled", (edited("ETCD_PEER_KEY_FILE", "ETCD_PEER_KEY"),), "no file of yours says ETCD_PEER_KEY_FILE"),
    # by its own template, say
    Case("running_from_own_files", "settled", (edited("ETCD_NAME", "# anew\nETCD_NAME"),)),
    Case("running_from_own_files", "settled", (lies("server1", CERTS),), f"{CERTS} was not there before"),
    Case("running_from_own_files", "settled", (runs_without("ETCD_CERT_FILE"),), "ETCD_CERT_FILE is not set"),
    Case("running_from_own_files", "settled", (down("server1"),), "etcd2.service is failed"),
    Case("running_from_own_files", "settled", (says("server1", "^unit.SCRIPT", Answer(1, "")),), "cannot tell"),
)
