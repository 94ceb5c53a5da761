"""Logging in with a key: an identity file's, or one of an SSH agent's; a certificate before the bare key."""

import copy
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import paramiko
from paramiko.agent import AgentKey
from paramiko.pkey import PublicBlob

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.remote.agent import CERTIFIED, held_keys
from orchestrator.remote.identities import EncryptedError, UnusableError, public_blob, read_key
from orchestrator.remote.logins import Login
from orchestrator.remote.unlocking import Unlocked
from orchestrator.remote.untrusted import tail, words

LOGGED = "sshd logs why, on the host: journalctl -u ssh -u sshd -n 20"
_AGENT = "the SSH agent"


def log_in(transport: paramiko.Transport, host: str, login: Login, unlocked: Unlocked) -> None:
    """Log in; LoginRefusedError if no key of ours is enough, HostUnreachableError if that cannot be known."""
    where = login.where
    tried: list[str] = []
    banner = ""
    with _offered(host, login, unlocked) as offer:
        for key in offer.each_key():
            shown = f"{_name(key)} {key.fingerprint}"
            tried.append(shown)
            try:
                still_wanted = transport.auth_publickey(login.user, key)
            except paramiko.SSHException as error:
                banner = _banner(transport) or banner
                # EOF and timeout come as AuthenticationException too, but say nothing about the key
                if not transport.is_active() or "timeout" in str(error).lower():
                    what = "connection lost" if transport.is_active() else "it closed the connection"
                    reason = f"{what} while we logged in ({words(error)}){banner}; {LOGGED}"
                    raise HostUnreachableError(host, f"{where}: {reason}{_too_many(login, tried)}") from error
                continue
            if not still_wanted:
                return
            raise LoginRefusedError(host, f"{where} {_second_factor(login, shown, still_wanted)}")
        raise LoginRefusedError(host, f"{where} {_refused(login, offer, tried, banner)}")


def _name(key: paramiko.PKey) -> str:
    return key.public_blob.key_type if key.public_blob else key.get_name()


def _banner(transport: paramiko.Transport) -> str:
    banner = transport.get_banner()
    said = tail(banner.decode(errors="replace")) if banner else ""
    return f"; the host says: {said}" if said else ""


def _too_many(login: Login, tried: Sequence[str]) -> str:
    if login.is_alone or len(tried) < 2:
        return ""
    offered = f"The SSH agent offered {len(tried)} keys, and sshd ends the connection after a few"
    return f". {offered}: name an identity file in the plan"


def _second_factor(login: Login, key: str, wanted: Sequence[str]) -> str:
    methods = tail(", ".join(map(str, wanted)))
    return (
        f"accepted the key {key}, and wants {methods} as well (AuthenticationMethods in sshd_config): "
        "a second factor is not supported. Let the key be enough for this user: put the lines "
        f"'Match User {login.user}' and 'AuthenticationMethods publickey' at the end of /etc/ssh/sshd_config "
        "on the host, then: systemctl reload ssh (or sshd)"
    )


def _refused(login: Login, offer: "_Offer", tried: Sequence[str], banner: str) -> str:
    sources = " and ".join(offer.sources) or _AGENT
    offered = f"{sources} ({', '.join(tried)})" if tried else f"{sources}, which holds no key"
    passed = f" ({'; '.join(offer.passed_over)})" if offer.passed_over else ""
    fix = f"add the public key to ~{login.user}/.ssh/authorized_keys on the host"
    if login.are_named:
        path = shlex.quote(str(login.identity_files[0]))
        fix += f" (ssh-keygen -y -f {path} prints it)"
    root = "; root logs in only if PermitRootLogin in sshd_config allows it"
    return (
        f"refused the login with {offered}{passed}: {fix}, or name another identity file "
        f"(passwords are not supported){root if login.user == 'root' else ''}. "
        f"If the key is there, {LOGGED}{banner}"
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """What can be offered to a host; ``passed_over`` says which files hold no key that can be."""

    host: str
    login: Login
    unlocked: Unlocked
    held: Sequence[paramiko.PKey]
    sources: list[str]
    passed_over: list[str]

    def each_key(self) -> Iterator[paramiko.PKey]:
        """Yield the keys, the likeliest first; OpenSSH's order."""
        sources = [self._of_files(), self._of_agent()]
        if not self.login.are_named:
            sources.reverse()
        seen: set[tuple[str, bytes]] = set()
        for key in self._of_files() if self.login.is_alone else chain(*sources):
            mark = (_name(key), key.asbytes())
            if mark not in seen:
                seen.add(mark)
                yield key

    def _of_agent(self) -> Iterator[paramiko.PKey]:
        if self.held and _AGENT not in self.sources:
            self.sources.append(_AGENT)
        yield from self.held

    def _of_files(self) -> Iterator[paramiko.PKey]:
        for path in self.login.identity_files:
            key = self._of_file(path)
            if key is not None:
                self.sources.append(str(path))
                yield from self._certified(path, key)

    def _of_file(self, path: Path) -> paramiko.PKey | None:
        """Return a file's key, or the agent's that is the same; LoginRefusedError if only this one may be."""
        if (key := self.unlocked.key(path)) is not None:
            return key
        blob = public_blob(path)
        for held in self.held:
            if blob is not None and held.asbytes() == blob and not _name(held).endswith(CERTIFIED):
                return held
        try:
            return read_key(path)
        except UnusableError as error:
            fix = (
                ": load it into an SSH agent (ssh-add), or be at a terminal, to be asked for its passphrase"
                if isinstance(error, EncryptedError)
                else ""
            )
            reported = f"identity file {path}{'' if str(error).startswith(':') else ' '}{error}{fix}"
            if self.login.is_alone and self.login.are_named and len(self.login.identity_files) == 1:
                raise LoginRefusedError(self.host, reported) from error
            self.passed_over.append(reported)
            return None

    def _certified(self, path: Path, key: paramiko.PKey) -> Iterator[paramiko.PKey]:
        """Yield the key with each certificate that there is for it, and then alone."""
        bare = _bare(key)
        for place in (path.with_name(f"{path.name}-cert.pub"), *self.login.certificate_files):
            with_certificate = _bare(key)
            try:
                with_certificate.public_blob = PublicBlob.from_file(str(place))
            except FileNotFoundError:
                continue
            except Exception:  # noqa: BLE001 -- whatever a file's bytes raise in paramiko
                self.passed_over.append(f"{place} is not a certificate")
                continue
            if _name(with_certificate).startswith(bare.get_name()):
                yield with_certificate
        yield bare


@contextmanager
def _offered(host: str, login: Login, unlocked: Unlocked) -> Iterator[_Offer]:
    """Gather what can be offered; an agent that does not answer matters only where there is no other key."""
    if not login.agent and not login.identity_files:
        raise LoginRefusedError(
            host,
            "no SSH agent is known here (SSH_AUTH_SOCK is not set), and the plan names no identity file: "
            'name one as ssh.identity_file, or start an agent: eval "$(ssh-agent)"; ssh-add',
        )
    held: tuple[paramiko.PKey, ...] = ()
    passed_over: list[str] = []
    with ExitStack() as stack:
        if login.agent and not (login.is_alone and _are_readable(login, unlocked)):
            try:
                held = stack.enter_context(held_keys(host, login.agent))
            except LoginRefusedError as error:
                if not login.identity_files:
                    raise
                passed_over.append(error.reason)
        yield _Offer(host, login, unlocked, held, [], passed_over)


def _are_readable(login: Login, unlocked: Unlocked) -> bool:
    """Whether no key that may be offered is one that only an agent can sign with."""
    for path in login.identity_files:
        try:
            if unlocked.key(path) is None:
                read_key(path)
        except UnusableError:
            return False
    return True


def _bare(key: paramiko.PKey) -> paramiko.PKey:
    if isinstance(key, AgentKey):  # which copy.copy cannot copy
        return AgentKey(key.agent, key.blob, key.comment)
    bare = copy.copy(key)
    bare.public_blob = None
    return bare
