# Tries to keep everybody else from the metrics port: clients that connect and send a byte a second, or nothing at all.
# usage: perl slow_clients.pl PORT COUNT SECONDS
use strict;
use warnings;
use Socket;
my ($port, $count, $seconds) = @ARGV;
my @clients;
for my $n (1 .. $count) {
    socket(my $client, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
    push @clients, $client if connect($client, sockaddr_in($port, INADDR_LOOPBACK));
}
print scalar(@clients), " connected\n";
$| = 1;
$SIG{PIPE} = 'IGNORE';
my $request = "GET /metrics HTTP/1.1\r\nHost: localhost:$port\r\nX-Slow: ";
for my $second (0 .. $seconds - 1) {
    syswrite($_, substr($request . ("a" x $seconds), $second, 1)) for grep { fileno($_) % 2 } @clients;
    sleep 1;
}
