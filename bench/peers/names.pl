# names CALLS WARM-UP FILE HOST: the original's verify_hostname_of_cert on a certificate that is at hand.
use strict;
use warnings;
use IO::Socket::SSL;
use IO::Socket::SSL::Utils;
use Time::HiRes qw(clock);

my ( $calls, $warm_up, $file, $host ) = @ARGV;
my $certificate = PEM_file2cert($file);
sub work { IO::Socket::SSL::verify_hostname_of_cert( $host, $certificate, 'default' ) or die for 1 .. $_[0] }
work($warm_up);
my $before = clock();
work($calls);
printf qq({"calls": %d, "cpu": %.1f}\n), $calls, 1e6 * ( clock() - $before );
