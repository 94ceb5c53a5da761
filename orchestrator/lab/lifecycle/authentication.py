"""Turning a new cluster's authentication on, so that the plan's user has to log in there too."""

import secrets

from orchestrator.lab.machine.programs import LabError
from orchestrator.probe import v3
from orchestrator.probe.http_session import Endpoint, Session, UnansweredError
from orchestrator.probe.login import Login

ROOT = "root"  # etcd turns it on only if that user has the role of that name


def turn_on(endpoint: Endpoint, login: Login) -> None:
    """Make the user, and root if that is another one, and turn authentication on."""
    users = {ROOT: secrets.token_hex(16), login.user: login.password}
    session = Session(endpoint, None, timeout_s=10.0)
    try:
        for request in v3.authentication(users, ROOT):
            session.ask(request)
    except UnansweredError as cause:
        raise LabError(f"authentication cannot be turned on for {login.user}: {cause}") from cause
    finally:
        session.close()
