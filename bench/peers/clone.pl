# clone CALLS WARM-UP FOLDER: the original's clone_cert without a cache.
use strict;
use warnings;
use IO::Socket::SSL::Intercept;
use IO::Socket::SSL::Utils;
use Time::HiRes qw(clock);

my ( $calls, $warm_up, $folder ) = @ARGV;
my $origin = PEM_file2cert("$folder/origin.pem");
my $mitm   = IO::Socket::SSL::Intercept->new(
    proxy_cert_file => "$folder/ca.pem",
    proxy_key_file  => "$folder/ca.key",
    cert_key_file   => "$folder/leaf.key",
    cache           => sub { return 1 if $_[0] eq 'type'; return $_[1]->() },
);

sub work {
    for ( 1 .. $_[0] ) { my ($cert) = $mitm->clone_cert($origin); CERT_free($cert) }
}
work($warm_up);
my $before = clock();
work($calls);
printf qq({"calls": %d, "cpu": %.1f}\n), $calls, 1e6 * ( clock() - $before );
