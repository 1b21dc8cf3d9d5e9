# The original, in either role: rounds of TLS and plaintext on one TCP connection.
# Arguments: role, port, certificate, key, CA, SSL_version, rounds, who ends TLS first ('us' or 'them').
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::SSL;
$| = 1;
my ($role, $port, $cert, $key, $ca, $version, $rounds, $first) = @ARGV;
my $sock;
if ($role eq 'server') {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1, ReuseAddr => 1) or die "listen: $!";
    print "ready\n";
    $sock = $listen->accept or die "accept: $!";
} else {
    $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "connect: $!";
}
setsockopt($sock, 6, 1, pack('i', 1)); # TCP_NODELAY
my %tls = $role eq 'server'
    ? (SSL_server => 1, SSL_cert_file => $cert, SSL_key_file => $key)
    : (SSL_ca_file => $ca, SSL_verifycn_name => 'localhost', SSL_verifycn_scheme => 'default', SSL_hostname => 'localhost');

sub expect_line {
    my ($wanted) = @_;
    my $got = '';
    while ($got !~ /\n\z/) {
        my $n = sysread($sock, $got, 1, length $got);
        die "read: $! $SSL_ERROR" unless defined $n;
        die "ended after '$got', wanted '$wanted'" unless $n;
    }
    die "got '$got', wanted '$wanted'" unless $got eq "$wanted\n";
}
sub say_line { my $line = "$_[0]\n"; syswrite($sock, $line) == length $line or die "write: $!" }

for my $round (1 .. $rounds) {
    # the client asks for TLS
    if ($role eq 'server') { expect_line("start $round"); say_line("go $round") }
    else { say_line("start $round"); expect_line("go $round") }
    IO::Socket::SSL->start_SSL($sock, SSL_version => $version, %tls) or die "start_SSL: $SSL_ERROR";
    expect_line("secret $round");
    say_line("kept $round");
    if ($first eq 'us') {
        $sock->stop_SSL or die "stop_SSL: $SSL_ERROR";
    } else {
        # reading meets the close_notify and says end of file
        my $n = sysread($sock, my $buffer, 1);
        die "unexpected data before the end of TLS" if $n;
        $sock->stop_SSL or die "stop_SSL: $SSL_ERROR";
    }
    die "still SSL" if ref $sock eq 'IO::Socket::SSL' && $sock->is_SSL;
    expect_line("plain $round");
    say_line("clear $round");
}
print "done $rounds\n";
