"""A CA that leaves a host's trust store takes its links along, and hides nobody else's by what it leaves."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from support.facts import member_in
from support.scripts import perform

from orchestrator.etcd import actions
from orchestrator.etcd.facts import ca_store
from orchestrator.host.operations import Operation, Remove, Run
from orchestrator.lab.provisioning.credentials import Authority


def here(operations: Iterable[Operation], store: Path, links: Path) -> list[Operation]:
    """Those operations in other directories, but for the program that makes the bundle."""
    found: list[Operation] = []
    for one in operations:
        match one:
            case Remove():
                found.append(Remove(str(store / Path(one.path).name)))
            case Run(argv=("sh", "-c", script, name, _, *names)):
                found.append(Run(("sh", "-c", script, name, str(links), *names)))
    return found


def test_the_same_ca_of_another_cluster_is_still_found_by_its_subject(tmp_path: Path) -> None:
    member, authority = member_in(tmp_path), Authority.make("the CA of both")
    (ours,) = (Path(file.path).stem for file in ca_store.files(member))
    store, links, beside = (tmp_path / name for name in ("store", "links", "job"))
    for folder in (store, links, beside):
        folder.mkdir()
    for name in (ours, "etcd-yours-1"):  # as Debian's update does it, one after the other
        authority.write(store / f"{name}.crt")
        (links / f"{name}.pem").symlink_to(store / f"{name}.crt")
        subprocess.run(["openssl", "rehash", str(links)], check=True)
    authority.issue("a").write(tmp_path / "a.pem", tmp_path / "a-key.pem")

    for _ in range(2):  # it may be done twice
        assert perform(here(actions.distrust_ca(member), store, links), beside).returncode == 0
        assert [] == [link.name for link in links.iterdir() if not link.exists()]
        looked = ["openssl", "verify", "-no-CAfile", "-CApath", str(links), str(tmp_path / "a.pem")]
        assert subprocess.run(looked, check=False, capture_output=True).returncode == 0


def test_a_host_without_such_a_directory_has_nothing_to_forget(tmp_path: Path) -> None:
    operations = here(actions.distrust_ca(member_in(tmp_path)), tmp_path, tmp_path / "none")
    assert perform(operations, tmp_path).returncode == 0
    assert not (tmp_path / "none").exists()
