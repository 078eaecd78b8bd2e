# script_proxy.pl TARGET…: what a hostile script asks its way out for. TARGET is HOST:PORT, or a URL. A line each: TARGET and the
# status of the answer, or errno if there is none.
use strict;
use warnings;
use IO::Socket::INET;
$SIG{ALRM} = sub { };
for my $target (@ARGV) {
    my $proxy = IO::Socket::INET->new(PeerAddr => '127.0.0.1:3128') or do { print "$target no proxy: $!\n"; next };
    my $asked = $target =~ m{^http} ? "GET $target HTTP/1.1" : "CONNECT $target HTTP/1.1";
    syswrite($proxy, "$asked\r\nHost: site.example\r\n\r\n");
    alarm 20;
    my $said = '';
    1 while sysread($proxy, $said, 4096, length $said) && $said !~ /\r\n/;
    print "$target ", ($said =~ m{^HTTP/1\.\d (\d+)} ? $1 : 'nothing'), "\n";
    alarm 0;
}
