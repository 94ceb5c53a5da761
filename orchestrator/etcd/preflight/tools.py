"""What every script of ours needs of a host: a shell, and the programs it calls."""

from collections.abc import Iterable, Sequence

from orchestrator.etcd.preflight.finding import on_each_host
from orchestrator.etcd.preflight.site import Site
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, Fact, Script, UnansweredError
from orchestrator.plan.facts import Subject

# Programs that looks and deeds call: remote/script.py, remote/receipt.py, and the scripts below etcd/.
NEEDED = (
    *(
        "awk",
        "base64",
        "cat",
        "cp",
        "cut",
        "date",
        "df",
        "dirname",
        "du",
        "env",
        "flock",
        "grep",
        "head",
        "id",
        "install",
        "mkdir",
        "mktemp",
        "mv",
    ),
    *("readlink", "rm", "rmdir", "sed", "sha256sum", "sleep", "stat", "sync", "tail", "tar", "timeout", "tr"),
    *("curl", "journalctl", "runuser", "systemctl", "systemd-run"),
)
ON_MEMBERS = ("etcdctl",)
FOR_CHECKS = ("getent", "ip", "ss")  # without them the checks see less, and a run works all the same
STORES = ("update-ca-trust", "update-ca-certificates")
# Debian's package of each program; of those that are not here, coreutils.
PACKAGES = {
    **{program: program for program in ("curl", "grep", "sed", "tar")},
    "awk": "mawk",
    "getent": "libc-bin",
    **dict.fromkeys(("ip", "ss"), "iproute2"),
    **dict.fromkeys(("flock", "runuser"), "util-linux"),
    **dict.fromkeys(("journalctl", "systemctl", "systemd-run"), "systemd"),
}

SCRIPT = """
for tool; do
  command -v "$tool" > /dev/null && echo "has=$tool" || echo "lacks=$tool"
done
printf 'shell=%s\\npath=%s\\n' "$(readlink -f "$(command -v sh)")" "$PATH"
systemctl --version | sed -n '1s/^/systemd=/p'
"""


@on_each_host
def tools(site: Site, subject: Subject) -> Check:
    """Ask for the shell, and for each program that our scripts call on the host."""
    is_member = subject.name in site.facts.members
    needed = (*NEEDED, *(ON_MEMBERS if is_member else ()))
    programs = Fact(
        Script(subject.name, SCRIPT, (*needed, *FOR_CHECKS, *STORES)), lambda answer: answer.pairs
    )

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            told = programs.read(answers)
        except UnansweredError as error:
            yield wrong(f"the shell runs no script: {error}")
            return
        if not told:
            yield wrong("the shell runs no script: it printed nothing")
            return
        has = {value for key, value in told if key == "has"}
        missing = [tool for tool in needed if tool not in has]
        if missing:
            where = dict(told).get("path", "PATH")
            yield wrong(f"{', '.join(missing)}: not found in {where}", _install(missing))
        unseen = [tool for tool in FOR_CHECKS if tool not in has]
        if unseen:
            told_of = f"not on PATH: {', '.join(unseen)}; checks that ask the kernel see less"
            yield doubtful(told_of, _install(unseen))
        if site.cluster.tls.trust == "system" and not has & set(STORES):
            yield doubtful(
                "no trust store to put the CA into (no update-ca-certificates, no update-ca-trust)",
                "install ca-certificates, or set tls.trust to files in the plan",
            )
        if not missing:
            fields = dict(told)
            yield fine(f"{len(needed)} programs, {fields.get('shell', 'sh')}, {fields.get('systemd', '')}")

    return Check(subject.name, (programs,), judge)


def _install(missing: Sequence[str]) -> str:
    """Say what to do about programs that are not there; etcdctl often lies where nobody looks."""
    others = [program for program in missing if program != "etcdctl"]
    fixes = []
    if others:
        packages = " ".join(dict.fromkeys(PACKAGES.get(program, "coreutils") for program in others))
        named = ", ".join(others)
        fixes.append(f"apt-get install {packages} (on Debian; elsewhere: the packages that hold {named})")
    if "etcdctl" in missing:
        fixes.append(
            "put etcdctl into /usr/local/bin, or link it there: ln -s /PATH/TO/etcdctl /usr/local/bin/etcdctl"
        )
    return "; ".join(fixes)
