"""Directories that are root's alone: only there is a path still the same thing in the next moment.

Whoever may write in a directory can put a link in the place of a file between two of root's steps, and what
root then creates, gives away or opens is another file.
"""

# A shell function: prints why a directory, or one above it, is not root's alone, or nothing. One that
# is missing will be made by root, in the nearest one that exists. Two groups are as good as root: its
# own, and Debian's staff, to whom parts of /usr/local belong. Above the directory itself the sticky bit is
# enough (/tmp): there nobody can move what is root's. One program looks at all of them: it is asked for every
# file that is written.
UNTRUSTED = r"""
untrusted() {
  place=$1 end='
'
  while [ ! -e "$place" ] && [ ! -L "$place" ]; do place=$(dirname -- "$place"); done
  named=$place
  place=$(readlink -e -- "$named") || { echo "$named leads nowhere"; return; }
  set -- "$place"
  while [ "$place" != / ]; do
    place=${place%/*} place=${place:-/}
    set -- "$@" "$place"
  done
  hows=$(stat -c '%u %a %G' -- "$@") || { echo "$1, or what is above it, cannot be looked at"; return; }
  is_above=
  for place; do
    how=${hows%%"$end"*} hows=${hows#*"$end"}
    group=${how##* } mode=${how#* } mode=${mode%% *}
    case ${how%% *} in
      0 | "$(id -u)") ;;
      *) echo "$place belongs to $(stat -c %U -- "$place")"; return ;;
    esac
    case $is_above$mode in
      above[1357]???) ;;
      *[2367]) echo "$place may be written to by everybody (mode $mode)"; return ;;
      *[2367]?) case $group in root | staff) ;; *)
        echo "$place may be written to by the group $group (mode $mode)"; return ;;
      esac ;;
    esac
    is_above=above
  done
}
"""
