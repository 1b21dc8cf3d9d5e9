# server PEM: IO::Socket::SSL as a server that answers one byte and keeps the connection. Prints its port, answers `cpu` and `memory` on stdin.
use strict;
use warnings;
use IO::Select;
use IO::Socket::SSL;
use Time::HiRes qw(clock);

my ($pem) = @ARGV;
my $listener = IO::Socket::INET->new( LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1024 ) or die $!;
my $context = IO::Socket::SSL::SSL_Context->new( SSL_server => 1, SSL_cert_file => $pem, SSL_key_file => $pem ) or die $SSL_ERROR;
$| = 1;
print $listener->sockport, "\n";
my ( @open, $last );
$last = clock();
my $select = IO::Select->new( $listener, \*STDIN );

while ( my @ready = $select->can_read ) {
    for my $fd (@ready) {
        if ( $fd == $listener ) {
            my $socket = IO::Socket::SSL->start_SSL( scalar $listener->accept, SSL_server => 1, SSL_reuse_ctx => $context ) or next;
            $socket->sysread( my $byte, 1 ) or next;
            $socket->syswrite($byte);
            push @open, $socket;
            next;
        }
        sysread STDIN, my $line, 64 or exit 0;
        my $now = clock();
        if ( $line =~ /^cpu/ ) { printf "%.1f\n", 1e6 * ( $now - $last ) }
        else {
            open my $in, '<', '/proc/self/statm' or die $!;
            printf "%d\n", ( split ' ', <$in> )[1] * 4;
        }
        $last = $now;
    }
}
