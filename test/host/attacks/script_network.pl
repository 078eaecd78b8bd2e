# script_network.pl PORT ADDRESS…: a hostile script's attempts to reach addresses, by TCP and by UDP. A line each: ADDRESS,
# how, and errno; 0 if a packet could be sent.
use strict;
use warnings;
use Socket qw(:all);
my $port = shift;
for my $address (@ARGV) {
    my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
    my $packed = inet_pton($family, $address) or die $address;
    my $to = $family == AF_INET6 ? pack_sockaddr_in6($port, $packed, 2) : pack_sockaddr_in($port, $packed);
    for my $how ("tcp", "udp") {
        $! = 0;
        my $made = socket(my $socket, $family, $how eq "tcp" ? SOCK_STREAM : SOCK_DGRAM, 0);
        local $SIG{ALRM} = sub { };
        alarm 3;
        # An answer is what counts: to its own empty loopback, a datagram can be sent.
        my $done = $made && connect($socket, $to);
        if ($done && $how eq "udp") {
            $done = send($socket, "\xff\xff\xff\xffTSource Engine Query\0", 0) && sysread($socket, my $answer, 100);
        }
        print "$address $how ", ($done ? 0 : $! + 0), "\n";
        alarm 0;
    }
}
