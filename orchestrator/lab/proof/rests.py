"""At a rest: the list of plain clients that the program shows, beside what the lab's own clients know."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.proof import posts
from orchestrator.lab.proof.probers import RunningProbers

# Who has moved must have ceased to speak plain http for longer than the list and the lab look
# back; what is listed is the watcher's record, written every 3 s.
LOOKS_BACK_S = 5.0
STILL_S, SETTLED_S = 1.0, 10.0  # who has just spoken, and who has ceased to
SETTLES_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Rest:
    """One look at a rest, by addresses: the lab's clients, those that speak plain http, and those listed."""

    name: str
    clients: frozenset[str]
    plain: frozenset[str]
    listed: frozenset[str]

    @property
    def missed(self) -> frozenset[str]:
        """Who speaks plain http, and is not listed."""
        return self.plain - self.listed

    @property
    def wrong(self) -> frozenset[str]:
        """Who is listed, and does not speak plain http."""
        return self.listed - self.plain


def look(lab: Lab, name: str, listing: Sequence[str], probers: RunningProbers) -> Rest:
    """Let clients that move settle, then have the program list the clients, and ask the lab's own."""
    own = _bastion(lab)
    deadline = time.monotonic() + SETTLES_WITHIN_S
    while any(STILL_S < ago < SETTLED_S for ago in _plain_s(probers, own).values()):
        if time.monotonic() >= deadline:
            break
        time.sleep(0.5)
    began = time.monotonic()
    done = lab.run(listing, check=False)
    if done.returncode != 0:
        raise LabError(f"the clients cannot be listed: {done.stderr}")
    time.sleep(1.0)  # every prober says how it fares once a second
    back_s = LOOKS_BACK_S + time.monotonic() - began
    plain = {address for address, ago in _plain_s(probers, own).items() if ago <= back_s}
    more = map(str, network.more_addresses(lab.taken, len(posts.OF_THEIR_OWN)))
    return Rest(name, frozenset((own, *more)), frozenset(plain), frozenset(listed(done.stdout)))


def listed(text: str) -> Iterator[str]:
    """Yield the addresses of those who lose a member with http, as far as they came lately."""
    for member in json.loads(text)["members"]:
        for client in member["clients"]:
            if client["is_cut_off"] and (client["open"] or client["last_seen_s"] <= LOOKS_BACK_S):
                yield client["address"]


def of_rest(rest: Rest) -> Iterator[str]:
    """Yield where a list contradicts what the lab knows."""
    for address in sorted(rest.missed):
        yield f"{rest.name}: {address} speaks plain http, and is not listed."
    for address in sorted(rest.wrong):
        yield f"{rest.name}: {address} is listed as a plain client, and is none."


def reported(rests: Sequence[Rest]) -> str:
    """Say how often the list was wrong."""
    missed, wrong = (sum(map(len, each)) for each in ((r.missed for r in rests), (r.wrong for r in rests)))
    clients = len(frozenset().union(*(rest.clients for rest in rests)))
    return f"{missed} missed, {wrong} wrong of {clients} at {len(rests)} rests"


def _bastion(lab: Lab) -> str:
    first, second = network.bastion_addresses(lab.taken)
    return str(first if any(address.version == 4 for address in lab.taken) else second)


def _plain_s(probers: RunningProbers, own: str) -> Mapping[str, float]:
    """Return how many seconds ago plain http was spoken over the network, by address."""
    found: dict[str, float] = {}
    for each in (probers.main, *filter(None, [probers.crowd])):
        for source, ago in each.progress().plain_s.items():
            found[source or own] = min(ago, found.get(source or own, ago))
    return found
