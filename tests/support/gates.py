"""Every case of every gate: tests/cases/checks."""

from cases.checks import (
    client_units,
    health,
    host,
    in_place,
    listeners,
    local_clients,
    plain_clients,
    proving,
    registry,
    relaying,
    settled,
)

TABLES = (
    health,
    registry,
    listeners,
    host,
    proving,
    settled,
    in_place,
    relaying,
    local_clients,
    plain_clients,
    client_units,
)


CASES = [case for table in TABLES for case in table.CASES]
