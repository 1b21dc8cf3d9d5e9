import type { Platform } from '../platforms.ts'

/** Where Node's own OpenSSL looks on a platform that has no row set. */
export const unix: Platform = {
  delimiter: ':',
  hasSystemStore: false,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: '/etc/ssl/cert.pem',
      systems: 'OPENSSLDIR of Node',
      citation: 'X509_get_default_cert_file(3); OPENSSLDIR in Node deps/openssl/openssl_common.gypi',
    },
    {
      kind: 'directory',
      path: '/etc/ssl/certs',
      systems: 'OPENSSLDIR of Node',
      citation: 'X509_get_default_cert_dir(3); OPENSSLDIR in Node deps/openssl/openssl_common.gypi',
    },
  ],
}
