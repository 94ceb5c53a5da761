"""The program that stands in for fleet and flanneld: what it says when etcd goes away and comes back."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.waiting import until

from orchestrator.lab.clients.local_clients import PROGRAM
from orchestrator.plan.model import Watch

# curl in small: port N answers for as long as there is a file N, and as etcd 3.3 if there is a file old; it
# wants the token in a file locked, if there is one
CURL = """#!/bin/sh
for word; do case $word in @*header*) header=${word#@} ;; esac; done
port=${word#http://127.0.0.1:}; port=${port%%/*}
if [ ! -e "$port" ]; then
  case "$*" in *--show-error*) echo "curl: (7) Failed to connect to port $port" >&2 ;; esac
  exit 7
fi
[ ! -e old ] || case $word in
*/version) echo '{"etcdserver":"3.3.25","etcdcluster":"3.3.0"}'; exit ;;
*/v3/*) echo "curl: (22) The requested URL returned error: 404" >&2; exit 22 ;;
esac
case $word in
*/authenticate) echo '{"header":{},"token":"'"$(cat locked 2> /dev/null)"'"}'; exit ;;
*/version) ;;
*)
  if [ -e locked ] && [ "$(cat "$header")" != "Authorization: $(cat locked)" ]; then
    case $word in */watch) exec /bin/sleep 60 ;; esac
    echo "curl: (22) The requested URL returned error: 401" >&2
    exit 22
  fi
  ;;
esac
case $word in
*/watch | *wait=true*)
  : >"watching-$port"
  while [ -e "$port" ]; do echo '{"events": [], "action": "set"}'; sleep 0.02; done
  ;;
*/keepalive) cat renewed ;;
*) echo '{"ID":"7"}' ;;
esac
"""
SLEEP = """#!/bin/sh
[ "$1" != 1 ] || set 0.05
exec /bin/sleep "$1"
"""


@dataclass(slots=True)
class LocalClient:
    """A local client at work in a directory."""

    process: subprocess.Popen[bytes]
    directory: Path
    seen: int = 0

    def opens(self, port: int) -> None:
        (self.directory / str(port)).touch()

    def closes(self, port: int) -> None:
        (self.directory / str(port)).unlink()

    def says(self, wanted: str) -> None:
        """Wait until it says that, later than what it said before."""

        def has_said() -> bool:
            assert self.process.poll() is None, "it ended by itself"
            return wanted in self.said[self.seen :]

        until(has_said, lambda: self.said)
        self.seen += self.said[self.seen :].index(wanted) + 1

    def watches_through(self, port: int) -> None:
        """Wait until it has begun to."""
        until((self.directory / f"watching-{port}").exists, lambda: self.said)

    @property
    def said(self) -> list[str]:
        return (self.directory / "said").read_text().splitlines()


@pytest.fixture(params=["v2", "v3"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalClient]:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("curl", CURL), ("sleep", SLEEP)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (tmp_path / "renewed").write_text('{"result":{"ID":"7","TTL":"10"}}')
    (tmp_path / "login").write_text('{"name": "root", "password": "planted"}')
    path = f"{programs}:{os.environ['PATH']}"
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            ["/bin/sh", str(PROGRAM), "fleet", request.param, "4001", "2379", "login"],
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "RUNTIME_DIRECTORY": str(tmp_path)},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        started = LocalClient(process, tmp_path)
        started.says("error: curl: (7) Failed to connect to port 2379")
        yield started
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_it_complains_while_etcd_is_away_and_is_well_again_afterwards(client: LocalClient) -> None:
    client.opens(2379)
    client.says("well again")
    client.closes(2379)
    client.says("error: the watch was cut off")
    client.says("error: curl: (7) Failed to connect to port 2379")
    client.opens(2379)
    client.says("well again")


def test_it_finds_the_gateway_of_etcd_3_3(client: LocalClient) -> None:
    (client.directory / "old").touch()
    client.opens(2379)
    client.says("well again")
    client.watches_through(2379)


def test_it_wants_the_local_port_and_goes_back_to_no_other(client: LocalClient) -> None:
    client.opens(2379)
    client.says("well again")
    client.opens(4001)
    client.says("from now on through port 4001")
    client.closes(4001)
    client.says("error: curl: (7) Failed to connect to port 4001")


def test_its_watch_moves_too_though_the_other_port_still_answers(client: LocalClient) -> None:
    client.opens(2379)
    client.says("well again")
    client.watches_through(2379)
    client.opens(4001)
    client.watches_through(4001)
    assert "error: the watch was cut off" not in client.said[client.seen :]


@pytest.mark.parametrize("client", ["v3"], indirect=True)
def test_it_logs_in_where_it_has_to_and_again_when_its_token_is_forgotten(client: LocalClient) -> None:
    (client.directory / "locked").write_text("first")
    client.opens(2379)
    client.says("well again")
    client.watches_through(2379)
    (client.directory / "locked").write_text("second")
    time.sleep(1)
    assert [] == [line for line in client.said[client.seen :] if "401" in line or "tells nothing" in line]
    assert (client.directory / "header").read_text() == "Authorization: second\n"


@pytest.mark.parametrize("client", ["v3"], indirect=True)
def test_it_notices_that_its_lease_has_expired(client: LocalClient) -> None:
    client.opens(2379)
    client.says("well again")
    renewed = client.directory / "renewed"
    kept = renewed.read_text()
    renewed.write_text('{"result":{"ID":"7"}}')
    client.says("error: the lease has expired")
    renewed.write_text(kept)
    client.says("well again")


def test_only_its_errors_are_errors_to_a_plan() -> None:
    reported = re.findall(r'echo "(.*)"$', PROGRAM.read_text(), re.MULTILINE)
    errors = [line for line in reported if re.search(Watch().errors, line)]
    assert errors
    assert {True} == {line.startswith("error: ") for line in errors}
    assert errors == [line for line in reported if "error" in line]


def test_shellcheck_passes() -> None:
    program = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([program, "--norc", PROGRAM], capture_output=True, text=True, check=False)
    assert checked.stdout == ""
