#!/bin/sh
# The guide's job by ssh alone, over one master connection a host, with two restarts for each member.
# Run from the directory with keys/ and pki/.
set -eu
hosts="server1=198.18.0.101 server2=198.18.0.102 server3=198.18.0.103"
sockets=$(mktemp -d)
trap 'rm -rf "$sockets"' EXIT
on() {
    address=$1
    shift
    ssh -o ControlMaster=auto -o ControlPath="$sockets/%h" -o ControlPersist=60 -o BatchMode=yes \
        -o UserKnownHostsFile=keys/known_hosts -i keys/id_ed25519 "root@$address" "$@"
}
dropins=/etc/systemd/system/etcd2.service.d

# Hand the leadership over if this member has it, restart it, and wait until it serves again.
restart() { # name address scheme local-port
    tls=""
    [ "$3" = http ] || tls="--cacert=/etc/etcd2/ca.pem --cert=/etc/etcd2/$1.pem --key=/etc/etcd2/$1-key.pem"
    on "$2" sh -eu <<EOF
export ETCDCTL_API=3
local=http://127.0.0.1:$4
own=\$(etcdctl --endpoints=\$local endpoint status | cut -d, -f2 | tr -d ' ')
if etcdctl --endpoints=\$local endpoint status | cut -d, -f5 | grep -q true; then
    etcdctl --endpoints=\$local move-leader "\$(etcdctl --endpoints=\$local member list | grep -v "^\$own" | head -n 1 | cut -d, -f1)"
fi
systemctl daemon-reload
systemctl restart etcd2
for try in \$(seq 600); do
    etcdctl $tls --endpoints=$3://$2:2379 endpoint health >/dev/null 2>&1 && exit 0
    sleep 0.1
done
echo "$1 is not healthy" >&2
exit 1
EOF
}

for host in $hosts; do
    on "${host#*=}" "curl -fsS http://${host#*=}:2379/health | grep -q true"
done
on 198.18.0.101 "mkdir -p /var/backups/etcd && ETCDCTL_API=3 etcdctl snapshot save /var/backups/etcd/before-tls.db"

for host in $hosts; do
    name=${host%%=*}
    tar -C pki -c ca.pem "members/$name.pem" "members/$name-key.pem" | on "${host#*=}" "
        set -eu
        umask 077
        mkdir -p /etc/etcd2 $dropins
        chmod 755 /etc/etcd2 $dropins
        tar -C /etc/etcd2 -x --strip-components=0 --transform='s,members/,,' --no-same-owner --no-same-permissions
        chown etcd:etcd /etc/etcd2/*
        chmod 644 /etc/etcd2/*.pem
        chmod 600 /etc/etcd2/*-key.pem
        install -m 644 /etc/etcd2/ca.pem /usr/local/share/ca-certificates/etcd.crt
        update-ca-certificates"
done

for host in $hosts; do
    name=${host%%=*}
    on "${host#*=}" "cat >$dropins/30-certs.conf" <<EOF
[Service]
Environment="ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379,http://127.0.0.1:4001"
Environment="ETCD_CERT_FILE=/etc/etcd2/$name.pem"
Environment="ETCD_KEY_FILE=/etc/etcd2/$name-key.pem"
Environment="ETCD_TRUSTED_CA_FILE=/etc/etcd2/ca.pem"
Environment="ETCD_CLIENT_CERT_AUTH=true"
Environment="ETCD_PEER_CERT_FILE=/etc/etcd2/$name.pem"
Environment="ETCD_PEER_KEY_FILE=/etc/etcd2/$name-key.pem"
Environment="ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd2/ca.pem"
Environment="ETCD_PEER_CLIENT_CERT_AUTH=true"
EOF
    restart "$name" "${host#*=}" http 2379
done

on 198.18.0.101 "export ETCDCTL_API=3; etcdctl member list | tr -d ' ' | while IFS=, read -r id _ _ peer _; do
    etcdctl member update \"\$id\" --peer-urls=\"https:\${peer#http:}\"
done"

all=""
for host in $hosts; do all="$all,${host%%=*}=https://${host#*=}:2380"; done
for host in $hosts; do
    name=${host%%=*} address=${host#*=}
    on "$address" "cat >$dropins/40-tls.conf" <<EOF
[Service]
Environment="ETCD_ADVERTISE_CLIENT_URLS=https://$address:2379"
Environment="ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379,http://127.0.0.1:4001"
Environment="ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380"
Environment="ETCD_INITIAL_ADVERTISE_PEER_URLS=https://$address:2380"
Environment="ETCD_INITIAL_CLUSTER=${all#,}"
EOF
    restart "$name" "$address" https 4001
done
