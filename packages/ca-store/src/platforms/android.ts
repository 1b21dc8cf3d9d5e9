import type { Platform } from '../platforms.ts'

/**
 * Termux, where Node runs on Android. The system's own /system/etc/security/cacerts is named by the hash of OpenSSL 0.9.8 and
 * does not follow what the user distrusts, so it is no source.
 */
export const android: Platform = {
  delimiter: ':',
  hasSystemStore: false,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: '/data/data/com.termux/files/usr/etc/tls/cert.pem',
      systems: 'Termux',
      citation: 'Termux ca-certificates package; openssl-probe, src/lib.rs',
    },
    {
      kind: 'directory',
      path: '/data/data/com.termux/files/usr/etc/tls/certs',
      systems: 'OPENSSLDIR of Termux',
      citation: 'Termux openssl package (--openssldir $PREFIX/etc/tls); X509_get_default_cert_dir(3)',
    },
  ],
}
