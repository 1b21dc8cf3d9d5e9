# Answers for the original, one line per question. Fields are hex, separated by tabs.
#   v DER HOST SCHEME SUFFIX   -> 1, 0, or ? where it died.   SCHEME: a name, or key=value,key=value
#                                 SUFFIX: default, off, or MIN:LIST
#   s LIST MIN HOST ADD        -> rest TAB suffix, each hex, or ? where there is none
#   l                          -> the built-in list, ICANN section, hex
use strict;
use warnings;
use utf8;
use IO::Socket::SSL;
use IO::Socket::SSL::PublicSuffix;

$| = 1;
binmode STDIN;
binmode STDOUT;
my %lists;

sub list {
    my ($min, $text) = @_;
    return $lists{"$min:$text"} ||= IO::Socket::SSL::PublicSuffix->from_string($text, min_suffix => $min);
}

sub text {    # UTF-8 to characters
    my $bytes = shift;
    utf8::decode($bytes);
    return $bytes;
}

sub octets {
    my $text = shift;
    utf8::encode($text);
    return unpack('H*', $text);
}

sub verify {
    my ($der, $host, $scheme, $suffix) = @_;
    my $bio = Net::SSLeay::BIO_new(Net::SSLeay::BIO_s_mem());
    Net::SSLeay::BIO_write($bio, $der);
    my $cert = Net::SSLeay::d2i_X509_bio($bio);
    Net::SSLeay::BIO_free($bio);
    return 'unparsable' if !$cert;
    $scheme = { map { split(/=/, $_, 2) } split(/,/, $scheme) } if $scheme =~ /=/;
    my $list = $suffix eq 'default' ? undef : $suffix eq 'off' ? '' : list(split(/:/, $suffix, 2));
    my $answer = eval { IO::Socket::SSL::verify_hostname_of_cert(text($host), $cert, $scheme, $list) ? 1 : 0 };
    Net::SSLeay::X509_free($cert);
    return defined $answer ? $answer : '?';
}

sub suffix {
    my ($text, $min, $host, $add) = @_;
    my ($rest, $suffix) = eval { list($min, $text)->public_suffix(text($host), $add) };
    return defined $suffix ? octets($rest) . "\t" . octets($suffix) : '?';
}

while (my $line = <STDIN>) {
    chomp $line;
    my ($question, @fields) = split(/\t/, $line, -1);
    @fields = map { pack('H*', $_) } @fields;
    my $answer =
        $question eq 'v' ? verify(@fields)
      : $question eq 's' ? suffix(@fields)
      :                    unpack('H*', IO::Socket::SSL::PublicSuffix::_default_data());
    print "$answer\n";
}
