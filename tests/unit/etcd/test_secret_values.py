"""What may be secret in a unit's texts is replaced where it stands, and nothing else is."""

import pytest

from orchestrator.etcd.install.secret_values import without

CASES = [
    ("ETCD_ROOT_PASSWORD=hunter2\n", "ETCD_ROOT_PASSWORD=replaced\n", ("ETCD_ROOT_PASSWORD",)),
    ('A_PASSWORD="a b"\nETCD_NAME=x\n', "A_PASSWORD=replaced\nETCD_NAME=x\n", ("A_PASSWORD",)),
    ("AWS_ACCESS_KEY=a\\\nb c\nETCD_NAME=x\n", "AWS_ACCESS_KEY=replaced\nETCD_NAME=x\n", ("AWS_ACCESS_KEY",)),
    ("export MYSQL_PWD=a b\n", "export MYSQL_PWD=replaced\n", ("MYSQL_PWD",)),
    ('Environment="A_TOKEN=a b" ETCD_NAME=q\n', 'Environment="A_TOKEN=replaced" ETCD_NAME=q\n', ("A_TOKEN",)),
    ("Environment=A_TOKEN=abc ETCD_NAME=q\n", "Environment=A_TOKEN=replaced ETCD_NAME=q\n", ("A_TOKEN",)),
    ("Environment='API_KEY=x \" y' B=c\n", "Environment='API_KEY=replaced' B=c\n", ("API_KEY",)),
    ("PROXY=http://u:p%40s@a:80\n", "PROXY=http://u:replaced@a:80\n", ("the password in a URL",)),
    (
        "ExecStart=/e --password hunter -x\n",
        "ExecStart=/e --password replaced -x\n",
        ("password",),
    ),
    (
        'ARGS="--name a --root-password=zzz"\n',
        'ARGS="--name a --root-password=replaced"\n',
        ("root-password",),
    ),
    ("some-secret: abc def\nname: a\n", "some-secret: replaced\nname: a\n", ("some-secret",)),
    (
        "a\n-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\nb\n",
        "a\nreplaced\nb\n",
        ("a private key",),
    ),
]
HARMLESS = [
    "ETCD_INITIAL_CLUSTER_TOKEN=k\nETCD_AUTH_TOKEN=simple\nETCD_AUTH_TOKEN_TTL=300\n",
    "ETCD_KEY_FILE=/a\nETCD_PEER_KEY_FILE=/b\nkey-file: c.pem\n",
    "--auth-token=jwt,priv-key=/x,pub-key=/y --initial-cluster-token k\n",
    "ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379,http://127.0.0.1:4001\n",
    "# the password is elsewhere\nMONKEY=banana\nEMPTY_PASSWORD=\nETCD_NAME=x\n",
]


@pytest.mark.parametrize(("text", "expected", "names"), CASES)
def test_a_secret_is_replaced_and_named(text: str, expected: str, names: tuple[str, ...]) -> None:
    assert (expected, names) == without(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert (text, ()) == without(text)


def test_a_long_word_takes_no_long_time() -> None:
    assert ("token" * 12000, ()) == without("token" * 12000)
