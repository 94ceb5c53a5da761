"""Texts of the operator's own files, and what they are once they say other settings: etcd/install/edits.py."""

from collections.abc import Callable, Iterable, Mapping

from orchestrator.etcd.install import config_file, edits
from orchestrator.etcd.install.edits import Span

PEER, CERT, AUTH = "ETCD_LISTEN_PEER_URLS", "ETCD_PEER_CERT_FILE", "ETCD_PEER_CLIENT_CERT_AUTH"
WANTED = {PEER: "https://h:2380", CERT: "/c.pem"}
KEYS = {PEER: "https://h:2380", CERT: "/c.pem", AUTH: "true"}
Make = Callable[[str, Mapping[str, str]], Iterable[Span]]


def of_args(text: str, wanted: Mapping[str, str]) -> Iterable[Span]:
    return edits.of_variable(text, wanted, ["ARGS"])


# fmt: off
EDITED: list[tuple[Make, str, str]] = [
    (edits.of_lines, f"[Service]\n# mine\nEnvironment={PEER}=http://h:2380\nUser=x\n",
     f'[Service]\n# mine\nEnvironment={PEER}=https://h:2380\nEnvironment="{CERT}=/c.pem"\nUser=x\n'),
    (edits.of_lines, f"[Service]\nEnvironment='{PEER}=http://h:2380'  \"A=\u00e9 b\" \\\n  {CERT}=\"/x\"",
     f"[Service]\nEnvironment='{PEER}=https://h:2380'  \"A=\u00e9 b\" \\\n  {CERT}=\"/c.pem\""),
    (edits.of_lines, f"[Service]\r\nEnvironment={PEER}='http://h:2380'\r\n",
     f'[Service]\r\nEnvironment={PEER}=\'https://h:2380\'\r\nEnvironment="{CERT}=/c.pem"\n'),
    (edits.of_file, f"# \u00e9\nexport X\n{PEER}='http://h:2380'  \nB=secret", f'# \u00e9\nexport X\n{PEER}=\'https://h:2380\'  \n{CERT}="/c.pem"\nB=secret'),
    (edits.of_file, "A=1\n", f'A=1\n{PEER}="https://h:2380"\n{CERT}="/c.pem"\n'),
    (edits.of_file, "A=1", f'A=1\n{PEER}="https://h:2380"\n{CERT}="/c.pem"'),
    (edits.of_file, "", f'{PEER}="https://h:2380"\n{CERT}="/c.pem"\n'),
    (edits.of_file, "A=1 \\\n", f'A=1 \\\n\n{PEER}="https://h:2380"\n{CERT}="/c.pem"\n'),
    (edits.of_file, f"{CERT}=\n  {PEER} = http://h:2380", f"{CERT}=/c.pem\n  {PEER} = https://h:2380"),
    (edits.of_command, "[Service]\nExecStart=/etcd \\\n  --listen-peer-urls http://h:2380 \\\n  $MORE\n",
     "[Service]\nExecStart=/etcd \\\n  --listen-peer-urls https://h:2380 \\\n  $MORE --peer-cert-file=/c.pem\n"),
    (edits.of_command, "[Service]\nExecStart=\nExecStart=-/etcd '--listen-peer-urls=http://h:2380'\nUser=x",
     "[Service]\nExecStart=\nExecStart=-/etcd --listen-peer-urls=https://h:2380 --peer-cert-file=/c.pem\nUser=x"),
    (of_args, 'ARGS="--listen-peer-urls=http://h:2380 --x"\n', 'ARGS="--listen-peer-urls=https://h:2380 --x --peer-cert-file=/c.pem"\n'),
    (config_file.spans, "# mine\nlisten-peer-urls:   'http://h:2380'   # all\n\npeer-transport-security:\n    # none\n    cert-file: x\nz: 1\n",
     "# mine\nlisten-peer-urls:   'https://h:2380'   # all\n\npeer-transport-security:\n    # none\n    cert-file: /c.pem\n    client-cert-auth: true\nz: 1\n"),
    (config_file.spans, "listen-peer-urls: http://h:2380",
     "listen-peer-urls: https://h:2380\npeer-transport-security:\n  cert-file: /c.pem\n  client-cert-auth: true"),
]
REFUSED: list[tuple[Make, str, str]] = [
    (edits.of_lines, "[Service]\nUser=x\n", "no Environment= line"),
    (edits.of_lines, f'[Service]\nEnvironment="{PEER}=a \\\n# x\nb"\n', "a comment stands within what line 2 says"),
    (edits.of_command, "[Service]\nExecStart=/bin/sh -c 'etcd --name a'\n", "a shell's script"),
    (of_args, "ARGS='--name=\"a\"'\n", "ARGS has quotes"),
    (of_args, "OTHER=--name=a\n", "in no single variable"),
    (config_file.spans, "peer-transport-security: {cert-file: x}\n", "does not have its keys in lines"),
    (config_file.spans, "listen-peer-urls: [a]\n", "listen-peer-urls is no single value"),
    (config_file.spans, "listen-peer-urls: &a http://h:2380\nother: *a\n", "no YAML"),
    (config_file.spans, "- a\n", "does not have its keys"),
]
# fmt: on
