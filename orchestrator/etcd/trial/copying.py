"""The script that copies a member's unit under the trial's name, on the host where systemd knows it."""

from orchestrator.etcd.trial.place import DATA_MIB, DROP_INS, OURS, UNIT_FILE

# Lines of a unit that bind it to others, act on others, or belong to the member alone. Of its commands only
# ExecStart= is tried: those before and behind may stop or register something. What limits memory is ours, for
# the trial's disk counts as memory; its journal is the journal, with nothing left out.
LEFT_OUT = (
    *(
        "Wants",
        "Requires",
        "Requisite",
        "BindsTo",
        "BindTo",
        "PartOf",
        "Upholds",
        "Conflicts",
        "Before",
        "After",
    ),
    *("OnFailure", "OnFailureJobMode", "OnSuccess", "OnSuccessJobMode", "RequiresOverridable"),
    *("RequisiteOverridable", "PropagatesReloadTo", "ReloadPropagatedFrom", "PropagateReloadTo"),
    *("PropagateReloadFrom", "PropagatesStopTo", "StopPropagatedFrom", "RequiresMountsFor", "WantsMountsFor"),
    *("FailureAction", "SuccessAction", "StartLimitAction", "JobTimeoutAction", "JobTimeoutSec"),
    *("JobRunningTimeoutSec", "RebootArgument", "JobTimeoutRebootArgument", "RefuseManualStart"),
    *("RefuseManualStop", "StopWhenUnneeded", "Sockets", "BusName", "PIDFile", "Slice"),
    *("ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"),
    *("Restart", "RestartSec", "RestartSteps", "RestartMaxDelaySec", "RestartPreventExitStatus"),
    *("RestartForceExitStatus", "MemoryMin", "MemoryLow", "MemoryHigh", "MemoryMax", "MemoryLimit"),
    *("MemorySwapMax", "CPUWeight", "CPUShares", "IOWeight", "BlockIOWeight", "IOSchedulingPriority"),
    *("CPUSchedulingPolicy", "CPUSchedulingPriority", "StandardOutput", "StandardError", "LogNamespace"),
    *("LogLevelMax", "LogRateLimitIntervalSec", "LogRateLimitBurst"),
)

# Leaves in $log and $keys where process $pid has them open, and both in $odd if a unit cannot name them. A
# busy member goes on to the next file of its log, under another number, while these are read: then once more.
DATA = r"""for _ in 1 2 3; do
  opened=$(for one in /proc/"$pid"/fd/*; do readlink "$one" || :; done)
  log=$(printf '%s\n' "$opened" | sed -n 's,/[^/]*\.wal$,,p' | head -n 1)
  keys=$(printf '%s\n' "$opened" | sed -n 's,/snap/db$,,p' | head -n 1)
  [ -z "$log" ] || break
done
odd=''
case $keys$log in *[!A-Za-z0-9/._@+-]*) odd="$keys $log" ;; esac"""

# $1 the member's service. The files are what systemd has read, in its order, and ours, each under its own
# name: so the trial's drop-ins are read in the order of the member's. Specifiers that hold the unit's name
# become the member's. Its data is hidden behind a tmpfs in the trial's own view of the file system: what the
# trial has there is gone with it, and the member's log and keys cannot be reached from it at all. The
# directory itself is the member's own, so a sandbox in which etcd cannot write there is found out.
COPY = rf"""set -eu
umask 077
fail() {{ printf '%s\n' "$*" >&2; exit 1; }}
show() {{ systemctl show --property="$1" --value "$unit"; }}
unit=$1.service
version=$(systemctl --version | sed -n '1s/^[^0-9]*\([0-9][0-9]*\).*/\1/p')
[ "${{version:-0}}" -ge 238 ] || fail "systemd $version is too old for a trial of $unit: it takes 238"
systemctl daemon-reload
[ "$(show LoadState)" = loaded ] || fail "systemd cannot load $unit: $(show LoadState)"
[ "$(show DynamicUser)" != yes ] || fail "$unit has DynamicUser=yes: a second unit would take its files over"
[ "$(show Type)" != forking ] || fail "$unit has Type=forking: what it starts cannot be told from the member"
full=$(show Id)
name=${{full%.service}}
prefix=${{name%%@*}} instance=
case $name in *@*) instance=${{name#*@}} ;; esac
last=${{prefix##*-}}
plain() {{ [ -z "$1" ] || systemd-escape --unescape -- "$1"; }}
copy() {{
  N=$full NAME=$name PREFIX=$prefix LAST=$last INSTANCE=$instance \
    PLAIN_PREFIX=$(plain "$prefix") PLAIN_LAST=$(plain "$last") PLAIN_INSTANCE=$(plain "$instance") \
    awk '
    BEGIN {{
      value["n"] = ENVIRON["N"]; value["N"] = ENVIRON["NAME"]
      value["p"] = ENVIRON["PREFIX"]; value["P"] = ENVIRON["PLAIN_PREFIX"]
      value["i"] = ENVIRON["INSTANCE"]; value["I"] = ENVIRON["PLAIN_INSTANCE"]
      value["j"] = ENVIRON["LAST"]; value["J"] = ENVIRON["PLAIN_LAST"]
      count = split("{" ".join(LEFT_OUT)}", names, " ")
      for (i = 1; i <= count; i++) left_out[names[i]] = 1
      keep = 1
    }}
    function expanded(text,   out, at, letter) {{
      while ((at = index(text, "%")) > 0) {{
        letter = substr(text, at + 1, 1)
        out = out substr(text, 1, at - 1) (letter in value ? value[letter] : "%" letter)
        text = substr(text, at + 2)
      }}
      return out text
    }}
    /^[ \t]*[#;]/ {{ next }}
    !goes_on && /^[ \t]*\[/ {{ keep = ($0 !~ /^[ \t]*\[Install\]/) }}
    !goes_on {{
      key = $0
      sub(/[ \t]*=.*/, "", key)
      sub(/^[ \t]+/, "", key)
      is_left_out = !keep || (key in left_out)
    }}
    {{ goes_on = /(^|[^\\])(\\\\)*\\$/ }}
    !is_left_out {{ print expanded($0) }}
    ' "$1"
}}
copy "$(show FragmentPath)" > {UNIT_FILE}
set -f
for path in $(show DropInPaths); do
  copy "$path" > {DROP_INS}/"${{path##*/}}"
done
set +f
for path in {OURS}/*.conf; do
  [ -e "$path" ] || continue
  copy "$path" > {DROP_INS}/"${{path##*/}}"
done
pid=$(show MainPID)
[ "${{pid:-0}}" -gt 0 ] || fail "$unit does not run"
{DATA}
[ -n "$log" ] || fail "cannot see where $unit keeps its log"
[ -z "$odd" ] || fail "$unit keeps its data where a unit cannot name it: $odd"
user=$(show User)
owner="mode=0700,uid=$(id -u "${{user:-root}}"),gid=$(id -g "${{user:-root}}")"
hide() {{ echo "TemporaryFileSystem=$1:size={DATA_MIB}M,$owner"; }}
{{
  echo '[Service]'
  if [ "${{log##*/}}" = wal ] && [ "${{keys:-${{log%/*}}}}" = "${{log%/*}}" ]; then
    hide "${{log%/*}}"
  else  # etcd makes the log's directory anew, so it cannot be what is mounted
    [ -z "$keys" ] || hide "$keys"
    hide "$log"
  fi
}} > '{DROP_INS}/~orchestrator-data.conf'
"""
