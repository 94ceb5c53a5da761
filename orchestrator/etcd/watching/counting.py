"""The watcher's book: awk that joins what the kernel and the capture say into a row for each client.

It reads lines: ``P PORT=SCHEMES ...`` (the listeners), ``M MEANS`` (who tells schemes apart), ``L ADDRESS
PORT OUR_PORT SCHEME`` (a connection has spoken), ``UNCONN ...`` (ss: one has ended), ``NUMBER NUMBER ...``
(ss: one is there), ``T UPTIME`` before and ``.`` behind what is there now, ``FAILED`` at a bad end. Only what
ss has seen counts: the capture may see packets that are for somebody behind this host. On a host without a
moment to spare the capture comes late, so what has ended unknown may still be told for a minute.

``pause`` is what lies between two looks, in seconds; a look may come sooner, and then decides nothing sooner.

The record, which it writes behind each ``.``: ``since``, ``ticked`` (uptime in seconds), ``means``,
``ports``, and ``row ADDRESS PORT SCHEME FIRST LAST COUNT BYTES OPEN UNIT PROCESS``. It holds 500 rows at
most; those that spoke TLS, and then those that were seen longest ago, go first. ``since`` begins anew where
nothing was asked for a while, and where one of plain http had to go: nobody is quiet by being forgotten.
"""

COUNT = r"""
function address(end) {
  sub(/:[0-9]+$/, "", end)
  gsub(/[\[\]]/, "", end)
  sub(/%.*/, "", end)
  if (end ~ /\./) sub(/^::ffff:/, "", end)
  return end
}
function port_of(end) { sub(/.*:/, "", end); return end }
function note(here, there, line,   key, said) {
  key = address(there) " " port_of(there) " " port_of(here)
  if (!(port_of(here) in schemes) || (key in gone)) return ""
  if (!(key in first)) { first[key] = now; near[key] = address(here) }
  if (match(line, /bytes_received:[0-9]+/)) said = substr(line, RSTART + 15, RLENGTH - 15) + 0
  else said = line ~ / rto:/ ? 0 : -1
  if (!(key in bytes) || said > bytes[key]) bytes[key] = said
  return key
}
function is_local(key,   part) {
  split(key, part, " ")
  return part[1] == near[key] || part[1] ~ /^127\./ || part[1] == "::1"
}
function unit_of(pid,   file, line, part, i, count, found) {
  file = "/proc/" pid "/cgroup"
  found = "?"
  while ((getline line < file) > 0) {
    if (line !~ /:name=systemd:/ && line !~ /^0::\/./) continue
    count = split(line, part, "/")
    for (i = count; i > 1; i--) if (part[i] ~ /\.(service|scope)$/) break
    found = part[i > 1 ? i : count]
    if (line ~ /:name=systemd:/) break
  }
  close(file)
  gsub(/[^A-Za-z0-9:_.@\\-]/, "?", found)
  return found == "" ? "?" : found
}
function ask_owners(   command, line, field, key, name, pid, filter, port) {
  for (port in schemes) filter = filter (filter == "" ? "" : " or ") "dport = :" port
  command = "ss --no-header --tcp --numeric --processes state established \"( " filter " )\" 2> /dev/null"
  while ((command | getline line) > 0) {
    split(line, field, " ")
    key = address(field[3]) " " port_of(field[3]) " " port_of(field[4])
    if (!(key in first) || !match(line, /"[^"]*",pid=[0-9]+/)) continue
    name = substr(line, RSTART + 1, RLENGTH - 1)
    pid = name
    sub(/",pid=.*/, "", name)
    sub(/.*",pid=/, "", pid)
    gsub(/[^ -~]/, "?", name)
    owner[key] = unit_of(pid) " " name
  }
  close(command)
}
function forget(key) {
  delete first[key]; delete near[key]; delete bytes[key]; delete ended[key]; delete there[key]
  delete told[key]; delete row_of[key]; delete owner[key]; delete asked[key]; delete label[key]
  delete labelled[key]; delete closed[key]
}
function take_back(key,   row) {
  row = row_of[key]
  if (row == "" || !(row in count)) return
  count[row]--
  sum[row] -= told[key]
  if (count[row] < 1) drop(row)
}
function drop(row) {
  delete count[row]; delete sum[row]; delete began[row]; delete last[row]; delete open[row]
}
function fold(is_last,   key, row, scheme, part, wanted) {
  for (row in open) open[row] = 0
  for (key in first) if (!(key in owner) && is_local(key) && asked[key] < 3) { asked[key]++; wanted = 1 }
  if (wanted) ask_owners()
  for (key in first) {
    split(key, part, " ")
    scheme = ""
    if (key in label) scheme = label[key]
    else if (bytes[key] == 0 || bytes[key] == 1) scheme = "silent"
    else if (is_last || now - first[key] >= pause)
      scheme = schemes[part[3]] ~ /,/ ? "unknown" : schemes[part[3]]
    if ((key in ended) && scheme != "" && (is_last || (key in label) || now - ended[key] >= pause)) {
      if (!(key in closed)) closed[key] = now
      if (scheme != "silent") enter(key, part, scheme, closed[key])
      if (scheme != "unknown" || is_last || means == "ports" || now - ended[key] > 20 * pause) {
        gone[key] = now
        forget(key)
      }
    } else if (there[key] == now && scheme != "" && scheme != "silent") {
      row = enter(key, part, scheme, now)
      if (row != "") open[row]++
    } else if (now - there[key] > 30 * pause && !(key in ended)) forget(key)
  }
  for (key in label)
    if (!(key in first) && now - labelled[key] > 3 * pause) { delete label[key]; delete labelled[key] }
  for (key in gone) if (now - gone[key] > 2 * pause) delete gone[key]
}
function enter(key, part, scheme, moment,   who, row) {
  who = "- -"
  if (is_local(key)) {
    who = (key in owner) ? owner[key] : "? ?"
    if (index(who, member " ") == 1) return ""
  }
  row = part[1] " " part[3] " " scheme SUBSEP who
  if (row_of[key] != row) {
    take_back(key)
    told[key] = 0
    row_of[key] = row
    count[row]++
    if (!(row in began)) began[row] = moment
  }
  if (bytes[key] > told[key]) { sum[row] += bytes[key] - told[key]; told[key] = bytes[key] }
  if (!(row in last) || last[row] + 0 < moment + 0) last[row] = moment
  return row
}
function evict(   row, key, total, worst) {
  for (row in count) total++
  while (total > 500) {
    worst = ""
    for (row in count)
      if (worst == "" || value(row) < value(worst)) worst = row
    if (worst !~ / https/) since = now
    for (key in row_of) if (row_of[key] == worst) { row_of[key] = ""; told[key] = 0 }
    drop(worst)
    total--
  }
}
function value(row) { return last[row] + (row ~ / https/ ? 0 : 1e9) }
function report(file,   row, who, port, text) {
  for (port in schemes) text = text " " port "=" schemes[port]
  printf "since %s\nticked %s\nmeans %s\nports%s\n", since, now, means, text > file
  for (row in count) {
    split(row, who, SUBSEP)
    printf "row %s %s %s ", who[1], began[row], last[row] > file
    printf "%d %.0f %d %s\n", count[row], sum[row], open[row], who[2] > file
  }
  close(file)
}
BEGIN {
  while (record != "" && (getline line < record) > 0) {
    split(line, field, " ")
    if (field[1] != "row") continue
    name = line
    for (i = 1; i <= 10; i++) sub(/^[^ ]* /, "", name)
    row = field[2] " " field[3] " " field[4] SUBSEP field[10] " " name
    began[row] = field[5]; last[row] = field[6]; count[row] = field[7]; sum[row] = field[8]
  }
  if (record != "") close(record)
}
/^P / {
  split("", schemes)
  for (i = 2; i <= NF; i++) { split($i, one, "="); schemes[one[1]] = one[2] }
}
/^M / { means = $2 }
/^L / && NF == 5 {
  key = $2 " " $3 " " $4
  if (!(key in label)) { label[key] = $5; labelled[key] = now }
}
/^UNCONN / { key = note($4, $5, $0); if (key != "") ended[key] = now }
/^[0-9]+ +[0-9]+ / { key = note($3, $4, $0); if (key != "") there[key] = now }
/^FAILED/ { exit 1 }
/^T / {
  if (now != "" && $2 - now > 30) since = $2
  now = $2
}
/^[.]/ {
  if (since == "" && means != "") since = now
  if (record != "") {
    fold(0)
    evict()
    report(record ".new")
    system("mv -f " record ".new " record)
  }
  else fold(0)
}
END { if (record == "") { fold(1); evict(); report("/dev/stdout") } }
"""
