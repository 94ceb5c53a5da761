"""Every case of every gate: tests/cases/gates."""

from cases.gates import agreeing, answering, relaying, settled, watching

TABLES = (agreeing, answering, settled, relaying, watching)


CASES = [case for table in TABLES for case in table.CASES]
