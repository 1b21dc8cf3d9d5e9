# describe CALLS WARM-UP FILE: the original's CERT_asHash on a certificate that is decoded.
use strict;
use warnings;
use IO::Socket::SSL::Utils;
use Time::HiRes qw(clock);

my ( $calls, $warm_up, $file ) = @ARGV;
my $certificate = PEM_file2cert($file);
sub work { CERT_asHash($certificate) for 1 .. $_[0] }
work($warm_up);
my $before = clock();
work($calls);
printf qq({"calls": %d, "cpu": %.1f}\n), $calls, 1e6 * ( clock() - $before );
