"""Who else hears of a run while it goes on: monitoring, and programs of the operator's."""
