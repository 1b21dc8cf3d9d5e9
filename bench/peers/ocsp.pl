# ocsp CALLS WARM-UP FOLDER request|direct|delegated: Net::SSLeay, which the original asks and verifies through.
use strict;
use warnings;
use IO::Socket::SSL;
use Net::SSLeay;
use Time::HiRes qw(clock);

my ( $calls, $warm_up, $folder, $what ) = @ARGV;
my $ctx = Net::SSLeay::CTX_new_with_method( Net::SSLeay::TLS_client_method() );
Net::SSLeay::CTX_load_verify_locations( $ctx, "$folder/ca.pem", '' ) or die 'ca';
my $ssl  = Net::SSLeay::new($ctx) or die 'ssl';
my $bio  = Net::SSLeay::BIO_new_file( "$folder/leaf.pem", 'r' );
my $leaf = Net::SSLeay::PEM_read_bio_X509($bio) or die 'leaf';
my $der  = $what eq 'request' ? '' : do { local $/; open my $in, '<:raw', "$folder/$what" or die; <$in> };

sub request { Net::SSLeay::i2d_OCSP_REQUEST( Net::SSLeay::OCSP_ids2req( Net::SSLeay::OCSP_cert2ids( $ssl, $leaf ) ) ) }

sub response {
    my $response = Net::SSLeay::d2i_OCSP_RESPONSE($der) or die 'response';
    Net::SSLeay::OCSP_response_verify( $ssl, $response, undef ) or die 'verify';
    my @results = Net::SSLeay::OCSP_response_results( $response, Net::SSLeay::OCSP_cert2ids( $ssl, $leaf ) );
    die $results[0][1] if $results[0][1];
    Net::SSLeay::OCSP_RESPONSE_free($response);
}
my $work = $what eq 'request' ? \&request : \&response;
$work->() for 1 .. $warm_up;
my $before = clock();
$work->() for 1 .. $calls;
printf qq({"calls": %d, "cpu": %.1f}\n), $calls, 1e6 * ( clock() - $before );
