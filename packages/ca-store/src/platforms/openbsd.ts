import type { Platform } from '../platforms.ts'

export const openbsd: Platform = {
  delimiter: ':',
  hasSystemStore: false,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: '/etc/ssl/cert.pem',
      systems: 'OpenBSD',
      citation: 'OpenBSD openssl(1), FILES; Go crypto/x509 root_bsd.go',
    },
    {
      kind: 'directory',
      path: '/etc/ssl/certs',
      systems: 'OPENSSLDIR of OpenBSD',
      citation: 'LibreSSL X509_get_default_cert_dir (X509_CERT_DIR)',
    },
  ],
}
