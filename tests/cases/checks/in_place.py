"""Whether a host's own files say what ours do: orchestrator/etcd/checks/in_place.py."""

from engine.sourced import SourcedHost, in_a_configuration
from support.judging import Case, Change, Scene, down, gone, lies, says

from orchestrator.host.questions import Answer

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


def runs_without(name: str) -> Change:
    """Have the process be started without a variable."""

    def change(scene: Scene) -> None:
        host = scene.world.place(scene.target.name)
        assert isinstance(host, SourcedHost)
        words, given, path = host.started
        host.started = (words, {each: given[each] for each in given if each != name}, path)

    return change


def runs_with(path: str) -> Change:
    """Have the process be started with another configuration file."""

    def change(scene: Scene) -> None:
        host = scene.world.place(scene.target.name)
        assert isinstance(host, SourcedHost)
        words, given, ours = host.started
        assert ours != path
        host.started = (tuple(word.replace(ours, path) for word in words), given, path)

    return change


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
