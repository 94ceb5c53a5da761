"""Who a client of etcd is, where etcd's authentication is on."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """A user of etcd's own."""

    user: str
    password: str = field(repr=False)
