# ruff: noqa: S108 these directories are named to be refused
import json
from pathlib import Path

import pytest
from unit.plan.plan_texts import SMALL, faults, swapped

from orchestrator.etcd import trial
from orchestrator.etcd.facts import ca_store
from orchestrator.host import places
from orchestrator.remote import job

HERE = "plan.yaml"
A, TLS = "{name: a, address: 10.0.0.1}", "  ca: ca.pem\n"


# (a plan, its faults); in SMALL the members are in lines 3 to 5, tls is in lines 6 to 12
CASES = [
    # fields
    (SMALL + "zzz: red\n", [
        ("13:1: zzz: unknown field, known here: accept_downtime, api, auth, clients, cluster, "
         "compare_data, members, notify, patience, persist, ports, probe, proxies, service, ssh, strategy, "
         "tls, watch")]),
    (swapped("{name: a, address:", "{name: a, adress:"),
        ["3:15: members.0.adress: unknown field, did you mean 'address'?"]),
    (SMALL + "Service: etcd\n", ["13:1: Service: unknown field, did you mean 'service'?"]),
    (swapped("cluster: c\n", ""), ["1:1: cluster: missing: add it, such as 'cluster: three-members'"]),
    (swapped(TLS, ""), ["7:3: tls.ca: missing: add it, such as 'ca: pki/ca.pem'"]),
    (swapped("name: b, ", ""), ["4:5: members.1.name: missing: add it, such as 'name: server1'"]),
    (SMALL + "service:\n", ["13:1: service: has no value: write one (an optional field can be left out)"]),
    (SMALL + "cluster: d\n", ["13:1: cluster: is written twice, first in line 1: keep one of them"]),
    (SMALL + "? [a]\n: b\n",
        ["13:3: plan: a field's name must be one word: remove this or put it in quotes"]),
    # kinds
    (swapped("cluster: c", "cluster: 5"),
        ["1:10: cluster: expected text, found the number 5: put it in quotes if it is meant"]),
    (swapped("cluster: c", "cluster: [c]"),
        ["1:10: cluster: expected text, found a list: write it such as 'three-members'"]),
    (SMALL + 'ssh: {port: "22"}\n',
        ["13:13: ssh.port: expected a whole number, found the text '22': write it without quotes"]),
    (SMALL + "ssh: {port: 22.5}\n",
        ["13:13: ssh.port: expected a whole number, found the number 22.5: write it such as '2222'"]),
    (SMALL + "ssh: {port: true}\n",
        ["13:13: ssh.port: expected a whole number, found true: write it such as '2222'"]),
    (SMALL + "ssh: root\n",
        ["13:6: ssh: expected a mapping of fields, found the text 'root': write it such as '{user: root}'"]),
    (SMALL + "accept_downtime: yes\n", [
        "13:18: accept_downtime: expected true or false, found the text 'yes': write true, without quotes"]),
    (SMALL + "ssh: {become: no}\n",
        ["13:15: ssh.become: expected 'none', 'sudo' or 'doas', found the text 'no': write none"]),
    (SMALL + "ssh: {become: true}\n",
        ["13:15: ssh.become: expected 'none', 'sudo' or 'doas', found true: write sudo"]),
    (SMALL + "ssh: {become: sudoo}\n",
        ["13:15: ssh.become: expected 'none', 'sudo' or 'doas', found the text 'sudoo': did you mean 'sudo'?"
         ]),
    (swapped(A, "a"), [
        ("3:5: members.0: expected a mapping of fields, found the text 'a': write it such as 'name: "
         "server1, address: 198.18.0.101'")]),
    (SMALL + "ports: {client: 0}\n", [
        ("13:17: ports.client: expected a number from 1 to 65535, found the number 0: "
         "write it such as '2379'")]),
    (SMALL + "strategy: brige\n", ["13:11: strategy: unknown strategy 'brige', did you mean 'bridge'?"]),
    (SMALL + "strategy: xyz\n", ["13:11: strategy: unknown strategy 'xyz', known here: bridge, guide"]),
    # spelling
    (SMALL + "notify: {hook: \"page 'x\"}\n",
        ["13:16: notify.hook: 'page 'x' is not a command: no closing quotation"]),
    (SMALL + "notify: {hook: \"''\"}\n",
        ["13:16: notify.hook: names no program: write one, such as ./page.sh"]),
    (SMALL + "notify: {webhook: hooks.example.com}\n", [
        "13:19: notify.webhook: this is not the URL of a webhook: write it whole, with https://"]),
    (SMALL + "notify: {webhook: http://hooks.example.com/}\n", [
        ("13:19: notify.webhook: events would be readable on their way: write https://, or http on "
         "loopback")]),
    (SMALL + "notify: {webhook: https://me:secret@hooks.example.com/}\n", [
        ("13:19: notify.webhook: a webhook's URL holds no user, password or '#': let a hook send what needs "
         "a secret")]),
    (SMALL + "notify: {metrics_file: metrics.txt}\n", [
        ("13:24: notify.metrics_file: 'metrics.txt' would not be read: node_exporter reads only files whose "
         "names end with .prom")]),
    (SMALL + "service: etcd2.service\n", ["13:10: service: leave the suffix '.service' off: write etcd2"]),
    (SMALL + "service: etcd.socket\n",
        ["13:10: service: 'etcd.socket' is not the name of a systemd service: write one, such as etcd"]),
    (SMALL + "service: etcd@\n",
        ["13:10: service: 'etcd@' is a template unit: name its instance, such as etcd@server1"]),
    (SMALL + "patience: {gate: 90}\n", ["13:18: patience.gate: 90 has no unit: write 90s (units: ms, s, m)"]),
    (SMALL + "patience: {gate: .inf}\n",
        ["13:18: patience.gate: inf is not a duration: write one such as 90s, 500ms, 2m or 1.5s"]),
    (SMALL + "patience: {gate: -5}\n",
        ["13:18: patience.gate: -5 is not a duration: write one such as 90s, 500ms, 2m or 1.5s"]),
    (SMALL + f"ports: {{client: 0x{'9' * 5000}}}\n",
        [f"13:17: ports.client: the number '0x{'9' * 75}...' cannot be read: write it in plain digits"]),
    (SMALL + f"patience: {{gate: 0x{'9' * 5000}}}\n",
        [f"13:18: patience.gate: the number '0x{'9' * 75}...' cannot be read: write it in plain digits"]),
    (SMALL + "patience: {gate: '90'}\n",
        ["13:18: patience.gate: '90' has no unit: write 90s (units: ms, s, m)"]),
    (SMALL + "patience: {gate: 1h}\n",
        ["13:18: patience.gate: '1h' is not a duration: write one such as 90s, 500ms, 2m or 1.5s"]),
    (SMALL + "patience: {gate: 0s}\n",
        ["13:18: patience.gate: '0s' is out of range: write more than 0s and at most 1440m"]),
    (SMALL + "patience: {gate: yes}\n",
        ["13:18: patience.gate: 'yes' is not a duration: write one such as 90s, 500ms, 2m or 1.5s"]),
    (swapped("cluster: c", "cluster: ../c"), [
        ("1:10: cluster: '../c' is not a usable name: write at most 63 letters, digits, '.', '_' or '-', "
         "the first a letter or digit")]),
    (swapped("10.0.0.1", "10.0.0.1:2379"), [
        ("3:24: members.0.address: '10.0.0.1:2379' is more than an address: write only the IP address or "
         "DNS name, without scheme, port or brackets")]),
    (swapped("10.0.0.1", "http://x"), [
        ("3:24: members.0.address: 'http://x' is more than an address: write only the IP address or DNS "
         "name, without scheme, port or brackets")]),
    (swapped("10.0.0.1", "10.0.0.256"), [
        ("3:24: members.0.address: '10.0.0.256' is neither an IP address nor a DNS name: write one, such "
         "as 198.18.0.101 or server1.example.com")]),
    (swapped("10.0.0.1", "224.0.0.1"), [
        ("3:24: members.0.address: '224.0.0.1' is not an address that other hosts can dial: write the "
         "host's own one")]),
    (SMALL + "ssh: {user: '-l'}\n",
        ["13:13: ssh.user: '-l' is not a login name: write the user to log in as, such as root"]),
    (swapped("ca.pem", '""'), ["7:7: tls.ca: '' is not a path: write the path of a file"]),
    (swapped("ca.pem", '"a\\nb"'), ["7:7: tls.ca: 'a\\nb' is not a path: write the path of a file"]),
    (swapped("ca.pem", "~bob/ca"),
        ["7:7: tls.ca: '~bob/ca' is not understood: write '~/' for your own home, or the whole path"]),
    (swapped("ca.pem", '"{name}"'),
        ["7:7: tls.ca: '{name}' has no meaning here: only certificate and key take {name}"]),
    (swapped("{name}.pem", "{nme}.pem"),
        ["8:16: tls.certificate: unknown placeholder '{nme}': the only one is {name}"]),
    (swapped("{name}.pem", "{name.pem"),
        ["8:16: tls.certificate: unknown placeholder '{': the only one is {name}"]),
    (SMALL + "  peer_cert_auth: false\n", [
        ("13:19: tls.peer_cert_auth: false is not possible: members need the CA file to check each other, "
         "and the CA file alone makes etcd ask every peer for a certificate; "
         "remove the line or write true")]),
    # between fields
    (swapped("c, address: 10.0.0.3", "a, address: 10.0.0.3"),
        ["5:12: members.2.name: name 'a' is taken in line 3: every host has its own"]),
    (swapped("c, address: 10.0.0.3", "a, address: 10.0.0.1"), [
        "5:12: members.2.name: name 'a' is taken in line 3: every host has its own",
        "5:24: members.2.address: address '10.0.0.1' is taken in line 3: every host has its own"]),
    (swapped("10.0.0.1", "'2001:db8::1'").replace("10.0.0.3", "'2001:DB8:0::1'"),
        ["5:24: members.2.address: address '2001:db8::1' is taken in line 3: every host has its own"]),
    (swapped("c, address: 10.0.0.3", "c, address: 10.0.0.3, ssh: {host: 10.0.0.1}"), [
        ("5:46: members.2.ssh.host: SSH server '10.0.0.1 port 22' is taken in line 3: every host has "
         "its own")]),
    (swapped("c, address: 10.0.0.3", "c, address: 10.0.0.3, ssh: {host: 10.0.0.1, port: 23}"), []),
    (swapped("10.0.0.1", "localhost").replace("10.0.0.3", "127.0.0.1"), [
        ("3:24: members.0.address: 'localhost' leads every host to itself: write the address that "
        "the others dial"),
        ("5:24: members.2.address: '127.0.0.1' leads every host to itself: write the address that "
        "the others dial")]),
    (swapped("name: b", "name: ca"), [
        ("4:12: members.1.name: 'ca' is taken: on the host, the certificate would be written over the CA's, "
         "ca.pem; write another name")]),
    (SMALL + "proxies: [{name: ca, address: 10.0.0.9}]\n", [
        ("13:18: proxies.0.name: 'ca' is taken: on the host, the certificate would be written over the CA's, "
         "ca.pem; write another name")]),
    (swapped("name: b", "name: CA"), []),
    (swapped("name: b", "name: ca-key"), []),
    (SMALL + "service: orchestrator-trial\n", [
        ("13:10: service: 'orchestrator-trial' is named as the orchestrator's own units are: give etcd "
         "another unit")]),
    (SMALL + "ports: {peer: 4001}\n",
        [("13:15: ports.peer: 4001 is the local port already, unless ports.local says otherwise: the ports "
          "must differ, write another")]),
    (SMALL + "ports: {peer: 4001, local: auto}\n",
        [("13:15: ports.peer: 4001 is the local port already, unless ports.local says otherwise: the ports "
          "must differ, write another")]),
    (SMALL + "ports: {local: 12380}\n",
        [("13:16: ports.local: 12380 is the trial port already, unless ports.trial says otherwise: the ports "
          "must differ, write another")]),
    (SMALL + "ports: {local: 2379, client: 2379}\n",
        ["13:16: ports.local: 2379 is the client port already: the ports must differ, write another"]),
    (SMALL + "ports: {peer: 4001, local: none}\n", []),
    (SMALL + "ports: {peer: 2378}\n",
        [("13:15: ports.peer: 2378 is the extra port already, unless clients.extra_port says otherwise: the "
          "ports must differ, write another")]),
    (SMALL + "clients: {extra_port: 2379}\n",
        [("13:23: clients.extra_port: 2379 is the client port already, unless ports.client says otherwise: "
          "the ports must differ, write another")]),
    (SMALL + "clients: {overlap: maybe}\n",
        ["13:20: clients.overlap: expected true, false or auto, found 'maybe': write it such as true"]),
    (SMALL + "clients: {units: [{unit: x, files: [{path: /etc/x, content: 'x-{name}'}]}]}\n", []),
    (SMALL + "watch: {quiet: 2s}\n"
     "clients: {units: [{unit: x, files: [{path: /etc/x, content: 'x-{name}'}]}]}\n", []),
    (SMALL + "clients: {units: [{unit: x}]}\n",
        [("13:19: clients.units.0.files: missing: add it, such as 'files: [{path: /etc/patroni/config.yml, "
          "content: \"patroni/{name}.yml\"}]'")]),
    (SMALL + "clients: {units: [{unit: x, files: []}]}\n",
        ["13:36: clients.units.0.files: names no file: write at least one, with path and content"]),
    (SMALL + "clients: {units: [{unit: etcd, files: [{path: /etc/x, content: x}]}]}\n",
        [("13:26: clients.units.0.unit: 'etcd' is etcd's own unit, which every step restarts: name only its "
          "clients")]),
    (SMALL + "clients: {units: [{unit: x, on: [z], files: [{path: /etc/x, content: x}]}]}\n",
        ["13:34: clients.units.0.on.0: no host is named 'z', known here: a, b, c"]),
    (SMALL + "clients: {units: [{unit: x, on: [p], files: [{path: /etc/x, content: x}]}]}\n"
     "proxies:\n  - {name: p, address: 10.0.0.9}\n",
        [("13:34: clients.units.0.on.0: 'p' is a proxy: clients are moved on members' hosts and on "
          "clients.hosts only")]),
    (SMALL + "clients: {overlap: false, units: [{unit: x, files: [{path: /etc/x, content: x}]}]}\n",
        [("13:20: clients.overlap: clients are moved while https is served beside http: write true, or leave "
          "clients.units out")]),
    (SMALL + "clients: {units: [{unit: x, files: [{path: /etc/x, content: x}]},\n"
     "  {unit: x, on: [b], files: [{path: /etc/x, content: x}]}]}\n", [
        "14:10: clients.units.1.unit: unit 'x' is named for b in line 13 already",
        "14:37: clients.units.1.files.0.path: file '/etc/x' is named for b in line 13 already"]),
    (SMALL + "clients: {units: [{unit: x, files: [{path: etc/x, content: '{host}'}], before: ' '}]}\n", [
        ("13:44: clients.units.0.files.0.path: 'etc/x' is not the path of a file: write the whole path, "
         "such as /etc/patroni/config.yml"),
        ("13:60: clients.units.0.files.0.content: unknown placeholder '{host}': the only one is {name}"),
        ("13:80: clients.units.0.before: ' ' is not a command: write one for the shell, on one line")]),
    (SMALL + "clients: {units: [{unit: x, files: [{path: /etc/../x, content: x}]}]}\n",
        [("13:44: clients.units.0.files.0.path: '/etc/../x' is not a plain path: write it without '..', "
          "'.', doubled or trailing '/'")]),
    (SMALL + "ports: {local: 0}\n", [
        ("13:16: ports.local: expected a number from 1 to 65535, none or auto, found '0': write it such as "
         "4001")]),
    (SMALL + "ports: {local: nothing}\n", [
        ("13:16: ports.local: expected a number from 1 to 65535, none or auto, found 'nothing': write it "
         "such as 4001")]),
    (SMALL + "auth: {user: 'a:b', password_file: p}\n", [
        "13:14: auth.user: 'a:b' is not a user of etcd: write its name, without ':', such as root"]),
    (SMALL + "auth: {user: root}\n",
        ["13:7: auth.password_file: missing: add it, such as 'password_file: root.password'"]),
    (SMALL + "ports: {client: 1, peer: 1}\n",
        ["13:26: ports.peer: 1 is the client port already: the ports must differ, write another"]),
    (SMALL.split("  - ")[0].rstrip() + " []\n" + SMALL[SMALL.index("tls:"):],
        ["2:10: members: no members: write at least one, such as '- {name: ..., address: ...}'"]),
    # proxies
    (SMALL + "proxies:\n  - {name: p, adress: 10.0.0.9}\n",
        ["14:15: proxies.0.adress: unknown field, did you mean 'address'?"]),
    (SMALL + "proxies: [p]\n", [
        ("13:11: proxies.0: expected a mapping of fields, found the text 'p': write it such as 'name: "
         "server1, address: 198.18.0.101'")]),
    (SMALL + "proxies: {name: p, address: 10.0.0.9}\n", [
        ("13:10: proxies: expected a list, found a mapping: write it such as "
         "'[{name: proxy1, address: 198.18.0.111}]'")]),
    (SMALL + "proxies:\n  - {name: a, address: 10.0.0.9}\n  - {name: p, address: 10.0.0.9}\n", [
        "14:12: proxies.0.name: name 'a' is taken in line 3: every host has its own",
        "15:24: proxies.1.address: address '10.0.0.9' is taken in line 14: every host has its own"]),
    (SMALL + "proxies:\n  - {name: p, address: 10.0.0.9, ssh: {host: 10.0.0.2}}\n", [
        ("14:46: proxies.0.ssh.host: SSH server '10.0.0.2 port 22' is taken in line 4: every host has its "
         "own")]),
    # watch
    (SMALL + "watch: fleet\n", [
        ("13:8: watch: expected a list of units or a mapping of fields, found 'fleet': write it such as "
         "'[fleet, flanneld]'")]),
    (SMALL + "watch: []\n",
        ["13:8: watch: names no unit to watch: write at least one, such as [fleet], or leave watch out"]),
    (SMALL + "watch: {quiet: 5s}\n", [
        ("13:8: watch.units: names no unit to watch: write at least one, such as [fleet], or leave watch "
         "out")]),
    (SMALL + "watch: [fleet.service, 5, [a]]\n", [
        "13:9: watch.0: leave the suffix '.service' off: write fleet",
        "13:24: watch.1: expected text, found the number 5: put it in quotes if it is meant",
        "13:27: watch.2: expected text, found a list: write it such as 'fleet'"]),
    (SMALL + "watch: {units: [fleet.service, {a: b}], quite: 5s}\n", [
        "13:17: watch.units.0: leave the suffix '.service' off: write fleet",
        "13:32: watch.units.1: expected text, found a mapping: write it such as 'fleet'",
        "13:41: watch.quite: unknown field, did you mean 'quiet'?"]),
    (SMALL + "watch: [a, null, b]\n",
        ["13:12: watch.1: has no value: write one (an optional field can be left out)"]),
    (SMALL + "service: etcd2\nwatch: [fleet, etcd2]\n", [
        ("14:16: watch.1: 'etcd2' is etcd's own unit, which every step restarts: name only its local "
         "clients")]),
    (SMALL + "watch: [a, b, a]\n", ["13:15: watch.2: unit 'a' is named in line 13 already: name it once"]),
    (SMALL + "watch: {units: [a], quiet: 90s}\n", [
        ("13:28: watch.quiet: watch.quiet (90s) must be shorter than patience.gate (90s), which waits for "
         "the quiet: shorten the one or lengthen the other")]),
    (SMALL + "watch: [a]\npatience: {gate: 9s}\n", [
        ("14:18: patience.gate: watch.quiet (10s) must be shorter than patience.gate (9s), which waits for "
         "the quiet: shorten the one or lengthen the other")]),
    (SMALL + "patience: {gate: 9s}\n", []),
    (SMALL + "watch: {units: [a], quiet: 5}\n",
        ["13:28: watch.quiet: 5 has no unit: write 5s (units: ms, s, m)"]),
    (SMALL + "watch: {units: [a], errors: '(error'}\n", [
        ("13:29: watch.errors: '(error' is not a regular expression: missing ) at position 6; correct it")]),
    (SMALL + "watch: {units: [a], errors: 'x{99999999999}'}\n", [
        ("13:29: watch.errors: 'x{99999999999}' repeats more than 10000 times: write smaller numbers in "
         "braces")]),
    (SMALL + "watch: {units: [a], errors: '(?:(?:(?:a{100}){100}){100,}){,100}'}\n", [
        ("13:29: watch.errors: '(?:(?:(?:a{100}){100}){100,}){,100}' repeats more than 10000 times: write "
         "smaller numbers in braces")]),
    (SMALL + r"watch: {units: [a], errors: '(?:[)]a{100}(?:b|(?:x\))+){101}){100}'}" "\n", [
        (r"13:29: watch.errors: '(?:[)]a{100}(?:b|(?:x\))+){101}){100}' repeats more than 10000 times: write "
         "smaller numbers in braces")]),
    (SMALL + "watch: {units: [a], errors: 'a{100}(?:b{100}c[{9}(]){100}d{101}(?:e){99}'}\n", [
        ("13:29: watch.errors: 'a{100}(?:b{100}c[{9}(]){100}d{101}(?:e){99}' repeats more than 10000 times: "
         "write smaller numbers in braces")]),
    (SMALL + r"watch: {units: [a], errors: 'a{100}b{101}(?:c{99}\){90})(?:d[(]e{,9}){100}'}" "\n", []),
    (SMALL + "watch: {units: [a], errors: '(?:a{100}){100}'}\n", []),
    (SMALL + f"watch: {{units: [a], errors: {'a' * 1001}}}\n", [
        (f"13:29: watch.errors: '{'a' * 77}...' has more than 1000 characters: write a shorter one")]),
    (SMALL + "watch: {units: [a], errors: 'error|'}\n", [
        ("13:29: watch.errors: 'error|' finds every line, even an empty one: write what an error looks "
         "like")]),
    # one of a few words
    (SMALL + "api: 2\n",
        ["13:6: api: expected 'auto', 'v2' or 'v3', found the number 2: did you mean 'v2'?"]),
    (SMALL + "api: yes\n",
        ["13:6: api: expected 'auto', 'v2' or 'v3', found the text 'yes': known here: auto, v2, v3"]),
    (SMALL + "  trust: true\n",
        ["13:10: tls.trust: expected 'system' or 'files', found true: known here: files, system"]),
    # YAML
    ("", ["1:1: plan: is empty: docs/plan-file.md has an example to begin with"]),
    ("# nothing\n", ["1:1: plan: is empty: docs/plan-file.md has an example to begin with"]),
    ("- a\n", ["1:1: plan: is not a mapping: write fields, such as 'cluster: three-members'"]),
    (SMALL + "\tservice: x\n", [
        ("13:1: plan: is not valid YAML: while scanning for the next token, found character '\\t' that "
         "cannot start any token; indent with spaces, not tabs")]),
    (SMALL + "---\na: b\n", [
        ("13:1: plan: is not valid YAML: expected a single document in the stream, but found another "
         "document; keep one plan in a file, without '---' between")]),
    ("%YAML 1.1\n---\n" + SMALL,
        ["1:1: plan: directives (%YAML, %TAG) are not used in plans: remove the line"]),
    (SMALL + "# \0\n", ["13:3: plan: holds a character that YAML does not allow: remove it"]),
    (SMALL + "# \x01\n", ["13:3: plan: holds a character that YAML does not allow: remove it"]),
    (SMALL + 'service: "\\UFFFFFFFF"\n',
        ["1:1: plan: has an escape (\\U...) that names no character: correct it"]),
    (swapped("cluster: c", 'cluster: "\\ud83d"'), [
        ("1:10: cluster: holds half a character: '\\ud83d'; correct the escape or write the character "
         "itself")]),
    (swapped("ca.pem", '"\\ud83d\\ude00"'), []),
    (SMALL + '"\\ude00\\ud83d": 1\n', [
        ("13:1: plan: a field's name holds half a character: '\\ude00\\ud83d'; correct the escape or write "
         "the character itself")]),
    (SMALL + '"\\ud83d\\ude00": 1\n', [
        ("13:1: \N{GRINNING FACE}: unknown field, known here: accept_downtime, api, auth, clients, cluster, "
         "compare_data, members, notify, patience, persist, ports, probe, proxies, service, ssh, strategy, "
         "tls, watch")]),
    (SMALL + "service: !unit etcd\n", ["13:10: service: the tag '!unit' is not used in plans: remove it"]),
    (SMALL + "persist: in place\n",
        [("13:10: persist: expected 'beside' or 'in_place', found the text 'in place': did you mean "
          "'in_place'?")]),
    (SMALL + "persist: in_place\nproxies:\n  - {name: p, address: 10.0.0.9}\n", [
        ("13:10: persist: v2 proxies have no files edited in place: leave persist out, and ours lie beside "
         "yours")]),
    (SMALL + "accept_downtime: !!bool banana\n",
        ["13:18: accept_downtime: 'banana' is neither true nor false: write one of them"]),
    (swapped(A, "&first " + A),
        ["3:5: plan: anchors and aliases (&first) are not used in plans: write it out"]),
    (swapped(A, "{<<: {name: a}, address: 10.0.0.1}"),
        ["3:6: plan: merge keys (<<) are not used in plans: write the fields out"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_fault_is_shown_with_its_place_and_its_fix(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert [f"{HERE}:{line}" for line in expected] == faults(tmp_path, text)


@pytest.mark.parametrize(
    ("directory", "complaint"),
    [
        ("etc/etcd", "is not absolute"),
        ("/etc/../etcd", "is not a plain directory"),
        ("/etc/./etcd", "is not a plain directory"),
        ("//etc", "is not a plain directory"),
        ("/etc/etcd/", "is not a plain directory"),
        ("/", "is not a plain directory"),
        ("/tmp", "every user of a host may write"),
        ("/tmp/a/b", "every user of a host may write"),
        ("/var/tmp", "every user of a host may write"),
        ("/dev/shm", "is emptied when a host boots"),
        ("/run", "is emptied when a host boots"),
        ("/run/orchestrator", "is emptied when a host boots"),
        ("/run/etcd/tls", "is emptied when a host boots"),
        ("/var/run/etcd", "is emptied when a host boots"),
        ("/proc/self", "is the kernel's own"),
        ("/sys", "is the kernel's own"),
        ("/var/lib/orchestrator", "is the orchestrator's own"),
        ("/var/lib/orchestrator/x", "is the orchestrator's own"),
        (trial.DIRECTORY, "is emptied when a host boots"),
        (places.KEPT, "is the orchestrator's own"),
        (job.HOME, "is emptied when a host boots"),
        ("/etc/systemd/system", "belongs to the system"),
        ("/etc/systemd/system/etcd.service.d", "belongs to the system"),
        ("/etc", "belongs to the system"),
        ("/root", "belongs to the system"),
        ("/usr/local", "belongs to the system"),
        *((store.directory, "is the host's own trust store") for store in ca_store.STORES.values()),
        *((f"/etc/et{char}cd", "cannot stand here") for char in " \t\"'%$\\;`{\n"),
    ],
)
def test_a_directory_must_be_one_that_can_hold_certificates(
    tmp_path: Path, directory: str, complaint: str
) -> None:
    quoted = json.dumps(directory)  # a JSON string is a YAML one
    (fault,) = faults(tmp_path, swapped("/etc/etcd", quoted))
    assert fault.startswith(f"{HERE}:12:14: tls.directory: ")
    assert complaint in fault


@pytest.mark.parametrize(
    "directory",
    [
        "/etc/etcd", "/etc/etcd.d", "/etc/kv", "/runs", "/tmpfs/x", "/devs", "/var/lib/etcd-tls",
        "/var/lib/orchestra", "/home/core/.ssl", "/opt/etcd", "/etc/ssl/etcd", "/srv/pki",
        "/usr/local/etc/etcd",
    ],
)  # fmt: skip
def test_a_directory_of_its_own_is_taken(tmp_path: Path, directory: str) -> None:
    assert [] == faults(tmp_path, swapped("/etc/etcd", directory))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (swapped('"{name}.key"', '"{name}.pem"'), [
            f"9:8: tls.key: '{{0}}/{name}.pem' would be the key of {name} and the certificate of {name}"
            for name in "abc"]),
        (swapped("client.key", "./client.pem"), [
            "11:15: tls.client_key: '{0}/client.pem' would be tls.client_key and tls.client_certificate"]),
        (swapped("client.key", "ca.pem"), [
            "11:15: tls.client_key: '{0}/ca.pem' would be tls.client_key and tls.ca"]),
        (swapped('"{name}.key"', '"{name}-key.pem"').replace("name: b", "name: a-key"), [
            "9:8: tls.key: '{0}/a-key.pem' would be the key of a and the certificate of a-key"]),
        (swapped("b, address", "b, key: x/../ca.pem, address"), [
            "4:20: members.1.key: '{0}/ca.pem' would be the key of b and tls.ca"]),
        (swapped('"{name}.key"', "all.key").replace('"{name}.pem"', "all.pem"), []),
        (swapped('"{name}.key"', "client.key").replace('"{name}.pem"', "client.pem"), []),
    ],
)  # fmt: skip
def test_a_key_is_no_file_that_everybody_may_read(tmp_path: Path, text: str, expected: list[str]) -> None:
    why = ", which everybody on a host may read: write different files"
    assert [f"{HERE}:{line.format(tmp_path)}{why}" for line in expected] == faults(tmp_path, text)
