import type { Platform } from '../platforms.ts'

export const netbsd: Platform = {
  delimiter: ':',
  hasSystemStore: false,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: '/etc/openssl/certs/ca-certificates.crt',
      systems: 'NetBSD 10 and newer',
      citation: 'NetBSD certctl(8), FILES; Go crypto/x509 root_bsd.go',
    },
    {
      kind: 'file',
      path: '/etc/openssl/cert.pem',
      systems: 'OPENSSLDIR of NetBSD',
      citation: 'X509_get_default_cert_file(3), OPENSSLDIR /etc/openssl',
    },
    {
      kind: 'directory',
      path: '/etc/openssl/certs',
      systems: 'NetBSD; OPENSSLDIR of NetBSD',
      citation: 'NetBSD certctl(8), FILES; Go crypto/x509 root_bsd.go',
    },
  ],
}
