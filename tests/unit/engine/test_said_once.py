"""Steps that are taken at once may fail for one reason: a message of several says it where it comes first."""

from orchestrator.engine.halt import said_once

PROXY = "server1 cannot reach https://198.18.0.102:12380 over TLS: its etcd obeys HTTPS_PROXY"


def test_what_several_steps_say_is_said_once() -> None:
    reasons = (
        f"prove/server2: no\n  {PROXY}\n  server2 still stands",
        f"prove/server3: no\n  {PROXY}\n  server3 stands",
    )
    assert (
        f"prove/server2: no\n  {PROXY}\n  server2 still stands\n  prove/server3: no\n  server3 stands"
        == said_once(reasons)
    )
    again = (*reasons, f"prove/server4: no\n  {PROXY}\n  server2 still stands")
    assert f"{said_once(reasons)}\n  prove/server4: no" == said_once(again)
    assert "" == said_once(())
