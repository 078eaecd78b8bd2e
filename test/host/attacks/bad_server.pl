# A remote that tries to hang, fill or confuse whoever fetches from it: answers every connection on PORT in one bad way.
# usage: perl bad_server.pl PORT silence|garbage|zeros|drip|closes
use strict;
use warnings;
use Socket;
my ($port, $way) = @ARGV;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
socket(my $listener, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, sockaddr_in($port, INADDR_LOOPBACK)) && listen($listener, 64) or die "listen: $!";
while (1) {
    accept(my $client, $listener) or next;
    next if fork;
    if ($way eq 'silence') { sleep 1000 }
    elsif ($way eq 'garbage') { syswrite($client, join '', map { chr int rand 256 } 1 .. 65536) }
    elsif ($way eq 'zeros') { 1 while syswrite($client, "\0" x 65536) }
    elsif ($way eq 'drip') {
        for my $byte (split //, "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n" x 20) {
            syswrite($client, $byte) or last;
            sleep 1;
        }
    }
    exit 0;
}
