#!/bin/sh
# A local client of etcd, as fleet and flanneld are: it writes a key, keeps another alive, and watches.
# Usage: local_client.sh NAME v2|v3 PORT OTHER_PORT LOGIN, with RUNTIME_DIRECTORY in its environment.
# It uses PORT for good once that has answered; until then, OTHER_PORT. LOGIN is a file with a v3 user's name and
# password, in JSON, or no file: nobody has to log in then.
# It says "error: ..." when something goes wrong and "well again" after that, and never ends by itself.
set -u

mine=prober/$1/$(hostname) # where no data that is restored has anything
api=$2
wanted_port=$3
port=$4
login=$5
header=$RUNTIME_DIRECTORY/header # with the token, that no command line shows; the watch has one of its own
ttl_s=10
patience_s=3
held=no
answer=
rounds_without_event=0
unwell=no

ask() { # METHOD PATH BODY: the answer, or curl's complaint, is in $answer
  request "$@" && return
  case $answer in *error:\ 40[013]*) log_in "$port" "$header" && request "$@" ;; *) return 1 ;; esac
}

request() {
  answer=$(curl --silent --show-error --fail --max-time "$patience_s" --header "@$header" \
    --request "$1" --data "$3" "http://127.0.0.1:$port$2" 2>&1)
}

log_in() { # PORT HEADER: a member that was restarted does not know the token of before
  [ -r "$login" ] || return
  token=$(curl --silent --fail --max-time "$patience_s" --data "@$login" \
    "http://127.0.0.1:$1$(gateway "$1")/auth/authenticate") || return
  token=${token#*\"token\":\"}
  echo "Authorization: ${token%%\"*}" >"$2"
}

encoded() { printf '%s' "$1" | base64; }

# etcd's v3 API, as JSON with text in base64; etcd 3.3 serves it at another path

gateway() { # PORT
  case $(curl --silent --max-time "$patience_s" "http://127.0.0.1:$1/version") in
  *'"etcdserver":"3.3.'*) echo /v3beta ;;
  *) echo /v3 ;;
  esac
}

beat_key=$(encoded "/$mine/beat")
held_key=$(encoded "/$mine/held")

write_v3() { ask POST "$v3/kv/put" "{\"key\": \"$beat_key\", \"value\": \"$(encoded "$1")\"}"; }

hold_v3() {
  v3=$(gateway "$port")
  ask POST "$v3/lease/grant" "{\"TTL\": \"$ttl_s\"}" || return
  lease=${answer#*\"ID\":\"}
  lease=${lease%%\"*}
  ask POST "$v3/kv/put" "{\"key\": \"$held_key\", \"value\": \"aGVsZA==\", \"lease\": \"$lease\"}"
}

renew_v3() {
  ask POST "$v3/lease/keepalive" "{\"ID\": \"$lease\"}" || return
  case $answer in
  *'"TTL"'*) ;;
  *) answer="the lease has expired"; held=no; return 1 ;;
  esac
}

watch_v3() { # etcd takes a watch that it does not allow for, tells nothing, and cuts nobody off
  [ ! -r "$login" ] || log_in "$1" "$header-watch" || return
  curl --silent --no-buffer --header "@$header-watch" --data "{\"create_request\": {\"key\": \"$beat_key\"}}" "http://127.0.0.1:$1$(gateway "$1")/watch"
}

# etcd's v2 API

write_v2() { ask PUT "/v2/keys/$mine/beat" "value=$1"; }

hold_v2() { ask PUT "/v2/keys/$mine/held" "value=held&ttl=$ttl_s"; }

renew_v2() {
  ask PUT "/v2/keys/$mine/held" "ttl=$ttl_s&refresh=true&prevExist=true" && return
  case $answer in
  *404*) answer="the key has expired"; held=no ;;
  esac
  return 1
}

watch_v2() {
  curl --silent --no-buffer --fail "http://127.0.0.1:$1/v2/keys/$mine/beat?wait=true&stream=true"
}

# either

choose_port() {
  if [ "$port" != "$wanted_port" ] &&
    curl --silent --output /dev/null --max-time "$patience_s" "http://127.0.0.1:$wanted_port/version"; then
    port=$wanted_port
    echo "from now on through port $port"
  fi
  echo "$port" >"$RUNTIME_DIRECTORY/port.new"
  mv "$RUNTIME_DIRECTORY/port.new" "$RUNTIME_DIRECTORY/port" # the watch reads it meanwhile
}

is_chosen() { [ "$(cat "$RUNTIME_DIRECTORY/port")" = "$1" ]; }

follow() { # watch for good, through the port that is chosen; each event touches a file
  cut=no
  while :; do
    through=$(cat "$RUNTIME_DIRECTORY/port")
    "watch_$api" "$through" | while read -r line; do
      case $line in *'"events"'* | *'"action"'*) ;; *) continue ;; esac
      : >"$RUNTIME_DIRECTORY/event"
      [ "$cut" = no ] || echo "the watch is well again"
      cut=no
      is_chosen "$through" || break
    done
    is_chosen "$through" || continue # it has moved, and was not cut off
    cut=yes
    echo "error: the watch was cut off"
    sleep 1
  done
}

live() { # one round; if something is wrong, $answer says what
  choose_port
  if [ "$held" = yes ]; then
    "renew_$api" || return
  else
    "hold_$api" || return
    held=yes
  fi
  "write_$api" "$(date +%s)" || return
  if [ -e "$RUNTIME_DIRECTORY/event" ]; then
    rm -f "$RUNTIME_DIRECTORY/event"
    rounds_without_event=0
  else
    rounds_without_event=$((rounds_without_event + 1))
  fi
  answer="the watch tells nothing"
  [ "$rounds_without_event" -lt 5 ]
}

: >"$header"
: >"$header-watch"
choose_port
follow &
while :; do
  if ! live; then
    echo "error: $answer"
    unwell=yes
  elif [ "$unwell" = yes ]; then
    echo "well again"
    unwell=no
  fi
  sleep 1
done
