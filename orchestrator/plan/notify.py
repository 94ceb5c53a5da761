"""The plan's section that says who hears of a run while it goes on."""

from pydantic import Field

from orchestrator.plan.kinds import Hook, MetricsFile, Section, Webhook


class Notify(Section):
    """Who hears of a run's events while it goes on; none of them can stop it or hold it up."""

    hook: Hook | None = Field(
        None,
        description=(
            "Program and arguments, started once for each event with its JSON on standard input; no shell. "
            "A program with a `/` is a path."
        ),
        examples=["./page.sh --channel etcd"],
    )
    webhook: Webhook | None = Field(
        None,
        description="URL that gets each event's JSON by POST: https, or http on loopback.",
        examples=["https://hooks.example.com/etcd"],
    )
    metrics_file: MetricsFile | None = Field(
        None,
        description="File for node_exporter's textfile collector, written anew at each event: `*.prom`.",
        examples=["/var/lib/prometheus/node-exporter/etcd-migration.prom"],
    )
