"""What an operator is told if a run stops in a round in which nothing can be fixed by a resume alone."""

import pytest

from orchestrator.migrations import MIGRATIONS


@pytest.mark.parametrize("name", sorted(MIGRATIONS))
def test_whoever_needs_other_certificates_is_reported_to_go_back_first(name: str) -> None:
    (prove,) = (round_ for round_ in MIGRATIONS[name].rounds if round_.name == "prove")
    assert prove.there.advice is not None
    assert prove.there.advice.is_urgent  # the cluster is healthy then, and it has to be known all the same
    assert "for other certificates roll back first" in prove.there.advice.text
