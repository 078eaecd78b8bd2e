# What a test host takes for the internet, or for itself. usage:
# perl internet.pl web PORT TEXT      answers every request with TEXT
# perl internet.pl forward PORT TO    forwards connections to port TO of 127.0.0.1
# perl internet.pl dns ADDRESS NAME=ADDRESS[,ADDRESS…]…    answers A and AAAA; "/" between addresses: one a question, by turns
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use Socket qw(:all);
my $what = shift;
$SIG{CHLD} = $SIG{PIPE} = 'IGNORE';

sub each_client {
    my ($port, $serve) = @_;
    my $listener = IO::Socket::IP->new(LocalHost => '::', LocalPort => $port, Listen => 64, ReuseAddr => 1, V6Only => 0) or die "listen: $@";
    while (1) {
        my $client = $listener->accept or next;
        next if fork;
        $serve->($client);
        exit 0;
    }
}

if ($what eq 'web') {
    my ($port, $text) = @ARGV;
    each_client($port, sub {
        my $client = shift;
        sysread($client, my $request, 65536);
        syswrite($client, "HTTP/1.1 200 OK\r\nContent-Length: " . (length($text) + 1) . "\r\n\r\n$text\n");
    });
}
if ($what eq 'forward') {
    my ($port, $to) = @ARGV;
    each_client($port, sub {
        my $client = shift;
        my $server = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $to) or return;
        my $both = IO::Select->new($client, $server);
        while ($both->count) {
            for my $from ($both->can_read) {
                my $other = $from == $client ? $server : $client;
                if (sysread($from, my $bytes, 65536)) { syswrite($other, $bytes) }
                else { $both->remove($from); $other->shutdown(1) }
            }
        }
    });
}
if ($what eq 'dns') {
    my ($address, @names) = @ARGV;
    my %of = map { split /=/, $_, 2 } @names;
    my %asked;
    my $socket = IO::Socket::IP->new(LocalHost => $address, LocalPort => 53, Proto => 'udp', Type => SOCK_DGRAM) or die "dns: $@";
    while (my $from = $socket->recv(my $question, 512)) {
        my ($at, @labels) = 12;
        while (my $length = ord substr($question, $at, 1)) {
            push @labels, substr($question, $at + 1, $length);
            $at += 1 + $length;
        }
        my $name = join '.', @labels;
        my $type = unpack 'n', substr($question, $at + 1, 2);
        my $listed = $of{$name} // '';
        my @turns = split m{/}, $listed;
        $listed = $turns[$asked{"$name $type"}++ % @turns] if @turns > 1;
        my $family = $type == 1 ? AF_INET : AF_INET6;
        my @addresses = grep { defined } map { inet_pton($family, $_) } grep { ($type == 28) == /:/ } split /,/, $listed;
        my $answer = substr($question, 0, 2) . pack('nnnnn', exists $of{$name} ? 0x8180 : 0x8183, 1, scalar @addresses, 0, 0)
            . substr($question, 12, $at + 5 - 12);
        $answer .= pack('nnnNn', 0xc00c, $type, 1, 0, length $_) . $_ for @addresses;
        $socket->send($answer, 0, $from);
    }
}
die 'usage';
