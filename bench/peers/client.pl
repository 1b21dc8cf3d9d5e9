# client CALLS WARM-UP MODE PORT VERSION CA-FILE: IO::Socket::SSL as a client, CA and name verified.
# full: one context for all; each: all options each time; resumed: with the first one's session; idle: memory of connections that stay open.
use strict;
use warnings;
use IO::Socket::SSL;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(clock);

my ( $calls, $warm_up, $mode, $port, $version, $ca ) = @ARGV;
my %options = (
    SSL_ca_file     => $ca,
    SSL_verify_mode => SSL_VERIFY_PEER,
    SSL_version     => $version eq 'TLSv1.2' ? 'TLSv1_2' : 'TLSv1_3',
);
# Its own cache takes a ticket of TLS 1.3 once, and a server of Node sends no other on resumption: the last one is kept, as the others here keep theirs.
{

    package Kept;
    sub new         { return bless {}, shift }
    sub add_session { my ( $self, undef, $session ) = @_; $self->{session} = $session; return }
    sub get_session { return shift->{session} }
    sub del_session { return 0 }
}
$options{SSL_session_cache} = Kept->new if $mode eq 'resumed';
my $shared = IO::Socket::SSL::SSL_Context->new(%options) or die $SSL_ERROR;

sub visit {
    my ($ask) = @_;
    my $socket = IO::Socket::SSL->new(
        PeerAddr            => '127.0.0.1',
        PeerPort            => $port,
        SSL_hostname        => 'localhost',
        SSL_verifycn_name   => 'localhost',
        SSL_verifycn_scheme => 'http',
        $mode eq 'each' ? %options : ( SSL_reuse_ctx => $shared, SSL_verify_mode => SSL_VERIFY_PEER ),
    ) or die "$!, $SSL_ERROR";
    setsockopt( $socket, IPPROTO_TCP, TCP_NODELAY, 1 );
    if ($ask) {
        $socket->syswrite( pack 'a Q>', $ask, 1 );
        $socket->sysread( my $answer, 1 ) or die 'no answer';
    }
    return $socket;
}

sub resident {
    open my $in, '<', '/proc/self/statm' or die $!;
    return ( split ' ', <$in> )[1] * 4;
}

if ( $mode eq 'idle' ) {
    my @open = map { visit('S') } 1 .. $warm_up;
    my $before = resident();
    push @open, visit('S') for 1 .. $calls;
    printf qq({"kib": %.2f}\n), ( resident() - $before ) / $calls;
    exit 0;
}

sub work {
    my ($times) = @_;
    for ( 1 .. $times ) {
        my $socket = visit( $mode eq 'resumed' ? 'H' : undef );
        die 'not resumed' if $mode eq 'resumed' && $times == $calls && !$socket->get_session_reused;
        $socket->close( SSL_no_shutdown => 0 );
    }
}
work(1);
Net::SSLeay::CTX_set_session_cache_mode( $shared->{context}, 0 ) if $mode eq 'resumed';    # else OpenSSL retires what was used
work($warm_up);
my $before = clock();
work($calls);
printf qq({"calls": %d, "cpu": %.1f}\n), $calls, 1e6 * ( clock() - $before );
