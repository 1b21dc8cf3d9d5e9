# One side of a transfer with IO::Socket::SSL's sysread and syswrite: `transfer.pl MB warm-up-MB receive|send size port`, against src/transfer-peer.ts.
use strict;
use warnings;
use IO::Socket::SSL;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

my ($mb, $warm, $work, $size, $port) = @ARGV;

sub cpu { my ($user, $system) = times; return 1e6 * ($user + $system) }

sub transfer {
  my ($bytes) = @_;
  my $socket = IO::Socket::SSL->new(
    PeerHost => '127.0.0.1', PeerPort => $port, SSL_verify_mode => SSL_VERIFY_NONE, SSL_hostname => 'localhost',
  ) or die "connect: $SSL_ERROR";
  $socket->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  my $buffer = 'x' x $size;
  my $before = cpu();
  $socket->syswrite(($work eq 'receive' ? 'S' : 'R') . pack 'Q>', $bytes) or die 'syswrite';
  for (my $done = 0; $done < $bytes;) {
    my $n = $work eq 'receive' ? $socket->sysread($buffer, $size) : $socket->syswrite($buffer);
    die "$work: $SSL_ERROR" if !$n;
    $done += $n;
  }
  $socket->sysread($buffer, 1) or die 'sysread' if $work eq 'send';
  my $spent = cpu() - $before;
  $socket->close(SSL_no_shutdown => 1);
  return $spent;
}

transfer($warm * 1_048_576) if $warm > 0;
printf qq({"calls": %d, "cpu": %.0f}\n), $mb, transfer($mb * 1_048_576);
