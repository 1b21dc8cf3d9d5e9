import type { Platform } from '../platforms.ts'

/** Bundles first, since one file is read faster than a hundred; the same roots are in both. */
export const linux: Platform = {
  delimiter: ':',
  hasSystemStore: false,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: '/etc/ssl/certs/ca-certificates.crt',
      systems: 'Debian, Ubuntu, Arch, Alpine, Gentoo, NixOS',
      citation: 'update-ca-certificates(8), FILES; NixOS nixos/modules/security/ca.nix; Go crypto/x509 root_linux.go',
    },
    {
      kind: 'file',
      path: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
      systems: 'Fedora, RHEL',
      citation: 'update-ca-trust(8), EXTRACTED CONFIGURATION; Go crypto/x509 root_linux.go',
    },
    {
      kind: 'file',
      path: '/etc/pki/tls/certs/ca-bundle.crt',
      systems: 'Fedora, RHEL 6 and older, NixOS',
      citation: 'update-ca-trust(8), FILES (classic file name); Go crypto/x509 root_linux.go',
    },
    {
      kind: 'file',
      path: '/etc/ssl/ca-bundle.pem',
      systems: 'openSUSE, SLES',
      citation: 'openSUSE ca-certificates package, update-ca-certificates(8); Go crypto/x509 root_linux.go',
    },
    {
      kind: 'file',
      path: '/var/lib/ca-certificates/ca-bundle.pem',
      systems: 'openSUSE, SLES',
      citation: 'openSUSE ca-certificates package, update-ca-certificates(8): what /etc/ssl/ca-bundle.pem points to',
    },
    {
      kind: 'file',
      path: '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
      systems: 'Arch',
      citation: 'Arch ca-certificates-utils, update-ca-trust(8)',
    },
    {
      kind: 'file',
      path: '/etc/ssl/certs/ca-bundle.crt',
      systems: 'NixOS',
      citation: 'NixOS nixos/modules/security/ca.nix (old NixOS compatibility)',
    },
    {
      kind: 'file',
      path: '/etc/pki/tls/cacert.pem',
      systems: 'OpenELEC, LibreELEC',
      citation: 'Go crypto/x509 root_linux.go',
    },
    {
      kind: 'file',
      path: '/etc/ssl/cert.pem',
      systems: 'Alpine; OPENSSLDIR of Node',
      citation:
        'Alpine ca-certificates-bundle; X509_get_default_cert_file(3); OPENSSLDIR in Node deps/openssl/openssl_common.gypi',
    },
    {
      kind: 'file',
      path: '/usr/lib/ssl/cert.pem',
      systems: 'OPENSSLDIR of Debian, Ubuntu',
      citation: 'X509_get_default_cert_file(3) and `openssl version -d` on Debian',
    },
    {
      kind: 'file',
      path: '/etc/pki/tls/cert.pem',
      systems: 'OPENSSLDIR of Fedora, RHEL',
      citation: 'X509_get_default_cert_file(3) and `openssl version -d` on Fedora; update-ca-trust(8), FILES',
    },
    {
      kind: 'directory',
      path: '/etc/ssl/certs',
      systems: 'OPENSSLDIR of Node; SLES',
      citation:
        'X509_get_default_cert_dir(3); OPENSSLDIR in Node deps/openssl/openssl_common.gypi; golang.org/issue/12139',
    },
    {
      kind: 'directory',
      path: '/usr/lib/ssl/certs',
      systems: 'OPENSSLDIR of Debian, Ubuntu',
      citation: 'X509_get_default_cert_dir(3) and `openssl version -d` on Debian',
    },
    {
      kind: 'directory',
      path: '/etc/pki/tls/certs',
      systems: 'OPENSSLDIR of Fedora, RHEL',
      citation: 'X509_get_default_cert_dir(3) and `openssl version -d` on Fedora; Go crypto/x509 root_linux.go',
    },
    {
      kind: 'directory',
      path: '/var/lib/ca-certificates/openssl',
      systems: 'openSUSE, SLES',
      citation: 'openSUSE ca-certificates package, update-ca-certificates(8), etc_openssl hook',
    },
  ],
}
