"""The watcher's script: it follows a member's client ports until its time is over, or is asked to end."""

from orchestrator.etcd.effective import SETTING
from orchestrator.etcd.settings import DEFAULTS, LISTEN_CLIENT
from orchestrator.etcd.watching.capturing import PERL, PYTHON
from orchestrator.etcd.watching.counting import COUNT

# $1 the member's service, $2 seconds, $3 seconds between two looks, $4 the record's file; without one the
# record is printed at the end, and no file is written. Beside the record is a pipe: whoever writes to it has
# the next look begin at once. What is open is asked of the kernel at each look, what has ended it reports by
# itself (ss --events), so a connection of a moment is found too. When the member's listeners have changed,
# what follows the new ones starts before the old one ends.
SCRIPT = rf"""{SETTING}
service=$1 seconds=$2 pause=$3 record=$4
perl='{PERL}'
python='{PYTHON}'
count='{COUNT}'
umask 077
ss --version > /dev/null || exit
lines='' awk='awk'
! command -v stdbuf > /dev/null || lines='stdbuf -oL'
case $(awk -W version < /dev/null 2>&1) in mawk*) awk='awk -W interactive' ;; esac
# in one line, with the bytes, if this ss can do that
more=''
! ss --no-header --oneline --tcp --info state syn-recv > /dev/null 2>&1 || more='--oneline --info'
means=ports interpreter=''
if command -v perl > /dev/null && perl -MSocket=inet_ntop -e 1 2> /dev/null; then
  means=perl
else
  for each in python3 /usr/libexec/platform-python; do
    if command -v "$each" > /dev/null && "$each" -c 'import ctypes' 2> /dev/null; then
      means=python interpreter=$each
      break
    fi
  done
fi

listeners() {{
  pid=$(systemctl show --property=MainPID --value "$service.service")
  [ "${{pid:-0}}" -gt 0 ] || return 0
  setting {LISTEN_CLIENT} listen-client-urls
  found=$(printf '%s\n' "${{value:-{DEFAULTS[LISTEN_CLIENT]}}}" | tr -s ', ' '\n\n' |
    sed -n 's|^\(https\{{0,1\}}\)://.*:\([0-9]\{{1,5\}}\)/*$|\2 \1|p' | sort -u |
    awk '{{ of[$1] = of[$1] (of[$1] == "" ? "" : ",") $2 }} END {{ for (p in of) print p "=" of[p] }}' | sort)
  [ -z "$found" ] || ports=$(printf '%s ' $found)
}}
follow() {{
  filter='' numbers='' sources=''
  for each in $ports; do
    filter="$filter${{filter:+ or }}sport = :${{each%%=*}}"
    numbers="$numbers${{numbers:+,}}${{each%%=*}}"
  done
  printf 'P %s\n' "$ports"
  $lines ss --events --no-header --tcp --numeric $more "( $filter )" &
  sources=$!
  case $means in
    perl) perl /dev/fd/3 "$numbers" 3<<END & ;;
$perl
END
    python) "$interpreter" /dev/fd/3 "$numbers" 3<<END & ;;
$python
END
    *) printf 'M ports\n' && return ;;
  esac
  sources="$sources $!"
}}
rest() {{
  if [ -n "$record" ]; then
    timeout "$pause" cat "$record.wake" > /dev/null
    case $? in 0 | 124) return ;; esac
  fi
  sleep "$pause"
}}
look() {{
  old='' looks=0 followed=$ports
  trap 'kill $sources $old 2> /dev/null' EXIT
  read -r now _ < /proc/uptime
  end=$((${{now%.*}} + seconds))
  follow
  while :; do
    read -r now _ < /proc/uptime
    printf 'T %s\n' "$now"
    $lines ss --no-header --tcp --numeric $more state established "( $filter )"
    echo .
    [ "${{now%.*}}" -lt "$end" ] || return 0
    rest
    read -r now _ < /proc/uptime
    for each in $sources; do
      kill -0 "$each" || return 1
    done
    looks=$((looks + 1))
    if [ -n "$old" ] && [ "${{now%.*}}" -ge "$((followed_s + pause))" ]; then
      kill $old
      old=''
    fi
    if [ "$((looks % 15))" -eq 0 ] || [ ! -d "/proc/$pid" ]; then
      listeners
      if [ "$ports" != "$followed" ]; then
        old="$old $sources" followed=$ports followed_s=${{now%.*}}
        follow
      fi
    fi
  done
}}
ports=''
listeners
member=$(systemctl show --property=Id --value "$service.service")
[ -n "$ports" ] || {{ printf '%s does not run\n' "$service.service" >&2; exit 1; }}
[ -z "$record" ] || [ -p "$record.wake" ] || mkfifo "$record.wake"
{{ look || echo FAILED; }} |
  $awk -v member="$member" -v record="$record" -v pause="$pause" -f /dev/fd/3 3<<END
$count
END
"""
