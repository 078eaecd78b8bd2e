#!/usr/bin/perl
# changing_dns.pl FIRST THEN: a name server on 127.0.0.1 that says FIRST when it is asked for an address for the first time, and THEN
# from then on: what DNS rebinding needs. Each name begins anew.
use strict;
use warnings;
use IO::Socket::INET;

my ($first, $then) = @ARGV;
my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 53, Proto => 'udp') or die "cannot listen: $!";
my %asked;
while (defined(my $peer = $socket->recv(my $query, 512))) {
    my $end = index($query, "\0", 12);
    next if $end < 0;
    my $name = substr($query, 12, $end - 12);
    my $type = unpack('n', substr($query, $end + 1, 2));
    my $answer = '';
    if ($type == 1) {
        my $address = $asked{$name}++ ? $then : $first;
        $answer = pack('nnnNnC4', 0xc00c, 1, 1, 0, 4, split /\./, $address);
    }
    $socket->send(substr($query, 0, 2) . pack('n5', 0x8180, 1, $answer ? 1 : 0, 0, 0) . substr($query, 12, $end - 7) . $answer, 0, $peer);
}
