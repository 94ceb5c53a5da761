"""Sudo and doas in small: who gets the password, and how often; tests/live has the real ones."""

from collections.abc import Sequence
from typing import Literal

import pytest
from support.ssh_sites import Site, site
from unit.remote.shells import cluster_of

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.operations import Secret
from orchestrator.host.questions import Script
from orchestrator.plan.model import Ssh
from orchestrator.remote import conversation
from orchestrator.remote.becoming_root import Sudo, as_root
from orchestrator.remote.ssh import SshHosts

__all__ = ["site"]

SUDO = r"""#!/bin/sh
ask='' prompt=''
while [ "$1" != -- ]; do
  case $1 in -S) ask=1 ;; -p) prompt=$2; shift ;; -u) shift ;; esac
  shift
done
shift
[ "$ask" ] || { echo 'sudo: a password is required' >&2; exit 1; }
printf %s "${SHOWN-$prompt}" >&2
IFS= read -r given
echo "$given" >>"$SHELLS/given"
[ "$given" != right ] || exec "$@"
printf 'Sorry, try again.\n%s' "$prompt" >&2
IFS= read -r given && echo "and: $given" >>"$SHELLS/given"
exit 1
"""


def put(site: Site, name: str, text: str) -> None:
    place = site.directory / "bin" / name
    place.write_text(text)
    place.chmod(0o755)


def hosts(
    site: Site, password: str | None, names: Sequence[str] = ("h1",), become: Literal["sudo", "doas"] = "sudo"
) -> SshHosts:
    there = Ssh(
        host="127.0.0.1",
        port=site.sshd.port,
        user="root",
        identity_file=site.identity,
        known_hosts=site.known_hosts,
        become=become,
        config="none",
    )
    return SshHosts(
        cluster_of(gate_s=90.0, **dict.fromkeys(names, there)),
        password=Secret(password) if password else None,
    )


def given(site: Site) -> list[str]:
    place = site.directory / "bin" / "given"
    return place.read_text().splitlines() if place.exists() else []


def test_the_right_password_makes_us_root_and_the_script_comes_whole(site: Site) -> None:
    put(site, "sudo", SUDO)
    question = Script("h1", "echo hello; echo there >&2")
    with hosts(site, "right") as executor:
        answer = executor.look([question])[question]
    assert ("hello\n", "there") == (answer.stdout, answer.stderr)
    assert {"right"} == set(given(site))


def test_a_wrong_password_is_sent_once_to_one_of_all_hosts(site: Site) -> None:
    put(site, "sudo", SUDO)
    names = [f"h{number}" for number in range(6)]
    with hosts(site, "wrong", names) as executor:
        for _ in range(3):
            with pytest.raises(LoginRefusedError, match="did not take"):
                executor.look([Script(name, "true") for name in names])
    assert ["wrong"] == given(site)


def test_a_program_that_does_not_print_our_prompt_gets_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "_PASSWORD_S", 1.0)
    put(site, "sudo", SUDO.replace("${SHOWN-$prompt}", "[sudo] password for root: "))
    with hosts(site, "right") as executor, pytest.raises(HostUnreachableError, match="password for root:"):
        executor.look([Script("h1", "true")])
    assert "right" not in given(site)


def test_without_a_password_the_options_are_named(site: Site) -> None:
    put(site, "sudo", SUDO)
    with hosts(site, None) as executor, pytest.raises(LoginRefusedError) as refused:
        executor.look([Script("h1", "true")])
    assert "Give it with -K (--ask-become-pass) or --become-password-file FILE. Or: " in str(refused.value)
    assert [] == given(site)


def test_doas_runs_what_it_is_given_and_its_refusal_is_reported(site: Site) -> None:
    question = Script("h1", "echo hello")
    with hosts(site, None, become="doas") as executor, pytest.raises(LoginRefusedError, match="has no doas"):
        executor.look([question])
    put(site, "doas", "#!/bin/sh\necho 'doas: Authentication required' >&2\nexit 1\n")
    with hosts(site, None, become="doas") as executor, pytest.raises(LoginRefusedError) as refused:
        executor.look([question])
    assert "'permit nopass root as root'" in str(refused.value)
    put(site, "doas", '#!/bin/sh\n[ "$1 $2 $3" = "-n -u root" ] && shift 3 && exec "$@"\n')
    with hosts(site, None, become="doas") as executor:
        assert "hello\n" == executor.look([question])[question].stdout


def test_the_password_is_in_no_command_line() -> None:
    line = as_root("sudo", ("sh", "-s"), Sudo("mark-1-", wants_password=True))
    assert line.startswith("env LC_ALL=C sudo -k -S -p mark-1- -u root -- sh -c '")
