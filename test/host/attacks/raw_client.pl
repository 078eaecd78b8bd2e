# Sends what a browser never would to a TCP port, and prints what comes back, or "(no answer)"; or resets COUNT connections.
# usage: perl raw_client.pl ADDRESS PORT [COUNT] <request (\r, \n and \xNN are written as in C)
use strict;
use warnings;
use Socket qw(:all);
my ($address, $port, $count) = @ARGV;
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { print "(no answer)\n"; exit 0 };
alarm($count ? 300 : 30);

sub connected {
    socket(my $client, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
    return connect($client, sockaddr_in($port, inet_aton($address))) ? $client : undef;
}

if ($count) {
    for (1 .. $count) {
        my $client = connected() or next;
        setsockopt($client, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
        syswrite($client, "GET /metrics HTTP/1.1\r\nHost: localhost:$port\r\n");
    }
    exit 0;
}
local $/;
my $request = <STDIN>;
$request =~ s/\\(?:r|n|x([0-9a-f]{2}))/defined $1 ? chr(hex $1) : substr($&, 1) eq 'r' ? "\r" : "\n"/ge;
my $client = connected() or do { print "(no answer)\n"; exit 0 };
my $sent = 0;
while ($sent < length $request) { $sent += syswrite($client, $request, 65536, $sent) // last }
my $received = '';
while (length $received < 65536 && sysread($client, my $more, 65536)) { $received .= $more }
print length $received ? $received : "(no answer)\n";
