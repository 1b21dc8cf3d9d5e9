# suffix CALLS WARM-UP HOST: the original's public suffix list.
use strict;
use warnings;
use IO::Socket::SSL::PublicSuffix;
use Time::HiRes qw(clock);

my ( $calls, $warm_up, $host ) = @ARGV;
my $list = IO::Socket::SSL::PublicSuffix->default;
sub work { $list->public_suffix($host) for 1 .. $_[0] }
work($warm_up);
my $before = clock();
work($calls);
printf qq({"calls": %d, "cpu": %.1f}\n), $calls, 1e6 * ( clock() - $before );
