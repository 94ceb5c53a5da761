"""What etcd makes of its command line, its variables and a configuration file: the settings in effect.

Settings have the names of their variables here, whatever they come from. With a configuration file etcd
ignores flags and variables; a flag beats a variable (from 3.4 on both is fatal), and its last one counts.
Source: etcd 2.3 to 3.6, etcdmain/config.go; docs/etcd-facts.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

CONFIG_FILE = "ETCD_CONFIG_FILE"

# Sections of a configuration file whose keys have variables of their own (embed/config.go, securityConfig).
SECTIONS: Mapping[str, str] = {
    "client-transport-security": "ETCD_",
    "peer-transport-security": "ETCD_PEER_",
}

# Leaves in $value what process $pid uses for the setting of variable $1 and flag $2, or nothing, and in
# $configuration its configuration file. The shell does by itself what it can: looks ask this over and over.
SETTING = r"""
setting() {
  value='' given='' configuration='' next=''
  told=$(tr '\0' '\n' < "/proc/$pid/cmdline"; exec tr '\0' '\n' < "/proc/$pid/environ")
  IFS='
'
  set -f
  for each in $told; do
    case $next in
      flag) given=$each next='' && continue ;;
      file) configuration=$each next='' && continue ;;
    esac
    case $each in
      "--$2="* | "-$2="*) given=${each#*=} ;;
      "--$2" | "-$2") next='flag' ;;
      --config-file=* | -config-file=*) configuration=${each#*=} ;;
      --config-file | -config-file) next='file' ;;
      "$1="*) value=${each#*=} ;;
      ETCD_CONFIG_FILE=*) configuration=${configuration:-${each#*=}} ;;
    esac
  done
  unset IFS
  set +f
  value=${given:-$value}
  case $configuration in
    '') return ;;
    /*) ;;
    *) configuration=$(readlink "/proc/$pid/cwd")/$configuration ;;
  esac
  # our copy of theirs is taken away without a restart once theirs says the same (persist: in_place)
  for stage in 40-tls 50-closed; do
    case $configuration in
      *."$stage" | *."$stage".*)
        [ -f "/proc/$pid/root$configuration" ] ||
          configuration=${configuration%."$stage"*}${configuration##*."$stage"} ;;
    esac
  done
  value=$(sed -n "s/^$2:[[:blank:]]*//p" "/proc/$pid/root$configuration" | head -n 1 |
    sed 's/[[:blank:]]#.*//; s/[[:blank:]]*$//; s/^"\(.*\)"$/\1/; s/^'"'\(.*\)'"'$/\1/')
}
"""


def flag(name: str) -> str:
    """Name of the flag of a setting, without its dashes: listen-client-urls."""
    return name.removeprefix("ETCD_").lower().replace("_", "-")


def variable(flag_name: str) -> str:
    """Name of the variable of a flag: ETCD_LISTEN_CLIENT_URLS."""
    return "ETCD_" + flag_name.upper().replace("-", "_")


def flags(arguments: Sequence[str]) -> Mapping[str, str]:
    """Return the settings that a command line has flags for; of one the last flag counts."""
    return {name: value for _, name, value in placed_flags(arguments[1:])}


def placed_flags(words: Sequence[str]) -> Iterable[tuple[int, str, str]]:
    """Return each flag of the words behind a program: its index, and its setting's name and value.

    etcd takes no other arguments than flags. So what follows a flag without a value, and is none itself, is
    its value; else the flag is a switch.
    """
    left = list(enumerate(words))
    while left:
        at, word = left.pop(0)
        name, equals, value = word.partition("=")
        if not name.startswith("-"):
            continue
        if not equals:
            value = left.pop(0)[1] if left and not left[0][1].startswith("-") else "true"
        yield at, variable(name.lstrip("-")), value


@lru_cache(maxsize=64)  # every look at a member reads it again, and YAML takes milliseconds
def of_configuration(text: str) -> Mapping[str, str]:
    """Return the settings of a configuration file; ValueError if it is none."""
    try:
        reported = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ValueError("etcd's configuration file is no YAML") from error
    if not isinstance(reported, dict):
        raise ValueError("etcd's configuration file holds no keys")  # noqa: TRY004 -- foreign text
    found = dict(_scalars(reported, "ETCD_"))
    for section, prefix in SECTIONS.items():
        keys = reported.get(section)
        found |= dict(_scalars(keys, prefix)) if isinstance(keys, dict) else {}
    return found


def _scalars(keys: Mapping[object, object], prefix: str) -> Iterable[tuple[str, str]]:
    for key, value in keys.items():
        if isinstance(value, str | int | float):
            reported = str(value).lower() if isinstance(value, bool) else str(value)
            yield prefix + str(key).upper().replace("-", "_"), reported


def settings(
    arguments: Sequence[str], environment: Mapping[str, str], configuration: str | None
) -> Mapping[str, str]:
    """Return the settings in effect; ``configuration`` is a configuration file's text, if there is one."""
    if configuration is not None:
        return of_configuration(configuration)
    return {**environment, **flags(arguments)}
