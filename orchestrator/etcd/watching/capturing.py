"""Telling TLS from plain HTTP by the first bytes that a client sends: a small capture, in Perl and Python.

Both take the ports as one word, ``2379,2378``, and print a line for each connection once it has spoken:
``L ADDRESS PORT OUR_PORT SCHEME``. They see packets to these ports alone, and at most 256 bytes of each. A
filter in the kernel drops what has no payload, and what comes over connections that are decided and talk
much, so that a busy client costs next to nothing; what opens a connection always passes.

A connection whose first packet was seen is decided by its first bytes, which no other protocol shares. One
that was there before is decided by a packet that begins like a TLS record, an HTTP request or an HTTP/2
frame: a packet in the middle of a record begins with anything, so a frame has to be right in all its fields,
and what looks like one by chance is one packet in ten million. Neither text has a single quote: the shell
has it between two of them.
"""

# What both filters are made of: classic BPF, as <linux/filter.h> has it. $M0 holds 32 bits of the sender's
# address; with its port they make a number for each connection, by which the talkative ones are dropped. $M2
# is where the payload begins, $M3 where it ends, $M4 where the TCP header does.
_TALKATIVE = 8  # packets of a decided connection, and then the kernel drops them
_MOST_DROPPED = 200
_MOST_KNOWN = 20000
_BUFFER_BYTES = (
    8 << 20
)  # it runs when nobody else wants to, and packets wait: beyond the usual limit, if it may

PERL = rf"""
use strict;
use Socket qw(:DEFAULT inet_ntop AF_INET6);
my @ports = split /,/, shift;
socket(my $s, 17, 2, 0) or die "AF_PACKET: $!\n";
my (%fresh, %known, %dropped, @dropped);
sub attach {{
  my @op = ([0x20,0,0,0xfffff004],[0x15,1,0,0],[6,0,0,0],[0x20,0,0,0xfffff000],[0x15,12,0,0x86dd],
    [0x15,1,0,0x800],[6,0,0,0],[0x28,0,0,6],[0x45,0,1,0x1fff],[6,0,0,0],[0x20,0,0,12],[2,0,0,0],[0x28,0,0,2],
    [2,0,0,3],[0xb1,0,0,0],[0x30,0,0,9],[5,0,0,7],[0x20,0,0,20],[2,0,0,0],[0x28,0,0,4],[4,0,0,40],[2,0,0,3],
    [1,0,0,40],[0x30,0,0,6],[0x15,1,0,6],[6,0,0,0],[0x48,0,0,2]);
  my $left = @ports;
  push @op, [0x15,$left--,0,$_] for @ports;
  push @op, [6,0,0,0],[0x50,0,0,13],[0x45,0,1,2],[6,0,0,256],[3,0,0,4],[0x50,0,0,12],[0x54,0,0,0xf0],
    [0x74,0,0,2],[12,0,0,0],[2,0,0,2],[0x61,0,0,2],[0x60,0,0,3],[0x2d,1,0,0],[6,0,0,0],[0x61,0,0,4],
    [0x48,0,0,0],[0x24,0,0,40503],[2,0,0,1],[0x61,0,0,1],[0x60,0,0,0],[0xac,0,0,0];
  push @op, [0x15,0,1,$_],[6,0,0,0] for @dropped;
  push @op, [6,0,0,256];
  my $filter = join "", map {{ pack "SCCL", @$_ }} @op;
  setsockopt($s, SOL_SOCKET, 26, pack("Sx![L!]P", scalar @op, $filter)) or die "filter: $!\n";
}}
sub is_frame {{
  return 0 if length($_[0]) < 9;
  my ($high, $low, $type, $flags, $stream) = unpack "CnCCN", $_[0];
  return 0 if $high or $low > 16384 or $stream & 0x80000000;
  return $stream & 1 && !($flags & ~9) if $type == 0;
  return $stream & 1 && !($flags & ~0x2d) if $type == 1;
  return $low == 4 && $stream & 1 && !$flags if $type == 3;
  return $low % 6 == 0 && !$stream && $flags < 2 if $type == 4;
  return $low == 8 && !$stream && $flags < 2 if $type == 6;
  return $low == 4 && !$flags if $type == 8;
  return 0;
}}
sub scheme {{
  my ($said, $is_first) = @_;
  return "http" if $said =~ /^PRI \* HTTP\/2/;
  return "http" if $said =~ /^(?:GET|PUT|POST|HEAD|DELETE|OPTIONS|PATCH|QGET|CONNECT|TRACE) /;
  return "https" if $said =~ /^\x16\x03[\x00-\x04]/;
  return "" if $is_first;
  return "https" if $said =~ /^[\x14-\x17]\x03[\x00-\x04][\x00-\x41]/;
  return is_frame($said) ? "http" : "";
}}
attach();
setsockopt($s, SOL_SOCKET, $_, pack("i", {_BUFFER_BYTES})) for SO_RCVBUF, 33;
bind($s, pack("SnlSCCa8", 17, 3, 0, 0, 0, 0, "")) or die "bind: $!\n";
$| = 1;
print "M perl\n";
while (1) {{
  defined recv($s, my $packet, 256, 0) or next;
  my $version = ord($packet) >> 4;
  my ($at, $end) = $version == 4 ? ((ord($packet) & 15) * 4, unpack("n", substr($packet, 2, 2)))
    : (40, 40 + unpack("n", substr($packet, 4, 2)));
  next if length($packet) < $at + 20;
  my $from = $version == 4 ? substr($packet, 12, 4) : substr($packet, 8, 16);
  my ($port, $here, $seq, undef, $offset, $flags) = unpack "nnNNCC", substr($packet, $at, 14);
  my $flow = pack("a*nn", $from, $port, $here);
  my $number = (($port * 40503) & 0xffffffff) ^ unpack("N", substr($from, -4));
  if ($flags & 2) {{
    %fresh = () if keys %fresh > {_MOST_KNOWN};
    $fresh{{$flow}} = ($seq + 1) & 0xffffffff;
    delete $known{{$flow}};
    if (delete $dropped{{$number}}) {{ @dropped = grep {{ $_ != $number }} @dropped; attach() }}
    next;
  }}
  my $payload = $at + ($offset >> 4) * 4;
  if ($end > $payload) {{
    if ($known{{$flow}}) {{
      if (++$known{{$flow}} >= {_TALKATIVE} and !$dropped{{$number}}++) {{
        push @dropped, $number;
        delete $dropped{{shift @dropped}} if @dropped > {_MOST_DROPPED};
        attach();
      }}
    }} elsif (!exists $fresh{{$flow}} or $fresh{{$flow}} == $seq) {{
      my $scheme = scheme(substr($packet, $payload), exists $fresh{{$flow}});
      if ($scheme) {{
        %known = () if keys %known > {_MOST_KNOWN};
        $known{{$flow}} = 1;
        delete $fresh{{$flow}};
        my $address = inet_ntop($version == 4 ? AF_INET : AF_INET6, $from);
        print "L $address $port $here $scheme\n";
      }}
    }}
  }}
  if ($flags & 5) {{ delete $known{{$flow}}; delete $fresh{{$flow}} }}
}}
"""

PYTHON = rf"""
import ctypes, re, socket, struct, sys
ports = [int(port) for port in sys.argv[1].split(",")]
s = socket.socket(17, socket.SOCK_DGRAM, socket.htons(3))
fresh, known, dropped = {{}}, {{}}, []
HEAD = [(0x20,0,0,0xfffff004),(0x15,1,0,0),(6,0,0,0),(0x20,0,0,0xfffff000),(0x15,12,0,0x86dd),
    (0x15,1,0,0x800),(6,0,0,0),(0x28,0,0,6),(0x45,0,1,0x1fff),(6,0,0,0),(0x20,0,0,12),(2,0,0,0),(0x28,0,0,2),
    (2,0,0,3),(0xb1,0,0,0),(0x30,0,0,9),(5,0,0,7),(0x20,0,0,20),(2,0,0,0),(0x28,0,0,4),(4,0,0,40),(2,0,0,3),
    (1,0,0,40),(0x30,0,0,6),(0x15,1,0,6),(6,0,0,0),(0x48,0,0,2)]
HEAD += [(0x15,len(ports)-at,0,port) for at, port in enumerate(ports)]
HEAD += [(6,0,0,0),(0x50,0,0,13),(0x45,0,1,2),(6,0,0,256),(3,0,0,4),(0x50,0,0,12),(0x54,0,0,0xf0),
    (0x74,0,0,2),(12,0,0,0),(2,0,0,2),(0x61,0,0,2),(0x60,0,0,3),(0x2d,1,0,0),(6,0,0,0),(0x61,0,0,4),
    (0x48,0,0,0),(0x24,0,0,40503),(2,0,0,1),(0x61,0,0,1),(0x60,0,0,0),(0xac,0,0,0)]
PLAIN = re.compile(br"PRI \* HTTP/2|(?:GET|PUT|POST|HEAD|DELETE|OPTIONS|PATCH|QGET|CONNECT|TRACE) ")
FIRST = re.compile(br"\x16\x03[\x00-\x04]")
RECORD = re.compile(br"[\x14-\x17]\x03[\x00-\x04][\x00-\x41]")
def attach():
    ops = HEAD + [op for one in dropped for op in ((0x15,0,1,one),(6,0,0,0))] + [(6,0,0,256)]
    text = b"".join(struct.pack("HBBI", *op) for op in ops)
    kept = ctypes.create_string_buffer(text)
    s.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", len(ops), ctypes.addressof(kept)))
def is_frame(said):
    if len(said) < 9:
        return False
    high, low, kind, flags, stream = struct.unpack(">BHBBI", said[:9])
    if high or low > 16384 or stream & 0x80000000:
        return False
    return ((kind == 0 and stream & 1 and not flags & ~9) or (kind == 1 and stream & 1 and not flags & ~0x2d)
        or (kind == 3 and low == 4 and stream & 1 and not flags)
        or (kind == 4 and low % 6 == 0 and not stream and flags < 2)
        or (kind == 6 and low == 8 and not stream and flags < 2) or (kind == 8 and low == 4 and not flags))
def scheme(said, is_first):
    if PLAIN.match(said):
        return "http"
    if FIRST.match(said):
        return "https"
    if is_first:
        return ""
    return "https" if RECORD.match(said) else "http" if is_frame(said) else ""
attach()
for each in (socket.SO_RCVBUF, 33):
    try:
        s.setsockopt(socket.SOL_SOCKET, each, {_BUFFER_BYTES})
    except PermissionError:
        pass
s.setblocking(False)
try:  # what came before there was a filter
    while True:
        s.recv(1)
except BlockingIOError:
    s.setblocking(True)
print("M python", flush=True)
while True:
    packet = s.recv(256)
    is_v4 = packet[0] >> 4 == 4
    at = (packet[0] & 15) * 4 if is_v4 else 40
    end = struct.unpack(">H", packet[2:4])[0] if is_v4 else 40 + struct.unpack(">H", packet[4:6])[0]
    if len(packet) < at + 20:
        continue
    source = packet[12:16] if is_v4 else packet[8:24]
    port, here, seq, _, offset, flags = struct.unpack(">HHIIBB", packet[at:at + 14])
    flow = (source, port, here)
    number = port * 40503 & 0xffffffff ^ struct.unpack(">I", source[-4:])[0]
    if flags & 2:
        if len(fresh) > {_MOST_KNOWN}:
            fresh.clear()
        fresh[flow] = seq + 1 & 0xffffffff
        known.pop(flow, None)
        if number in dropped:
            dropped.remove(number)
            attach()
        continue
    payload = at + (offset >> 4) * 4
    if end > payload:
        if flow in known:
            known[flow] += 1
            if known[flow] >= {_TALKATIVE} and number not in dropped:
                dropped.append(number)
                del dropped[:-{_MOST_DROPPED}]
                attach()
        elif fresh.get(flow, seq) == seq:
            found = scheme(packet[payload:], flow in fresh)
            if found:
                if len(known) > {_MOST_KNOWN}:
                    known.clear()
                known[flow] = 1
                fresh.pop(flow, None)
                address = socket.inet_ntop(socket.AF_INET if is_v4 else socket.AF_INET6, source)
                print("L", address, port, here, found, flush=True)
    if flags & 5:
        known.pop(flow, None)
        fresh.pop(flow, None)
"""
