import type { Platform } from '../platforms.ts'

/**
 * Homebrew's bundle follows the keychains. Apple's own /etc/ssl/cert.pem does not follow what the administrator distrusts, so it
 * comes after the system's store and counts only where this Node cannot read that.
 */
export const darwin: Platform = {
  delimiter: ':',
  hasSystemStore: true,
  rows: [
    {
      kind: 'file',
      path: '/System/Library/OpenSSL/cert.pem',
      systems: 'OPENSSLDIR of Node',
      citation: 'OPENSSLDIR in Node deps/openssl/openssl_common.gypi; X509_get_default_cert_file(3)',
    },
    {
      kind: 'file',
      path: '/opt/homebrew/etc/ca-certificates/cert.pem',
      systems: 'Homebrew on Apple silicon',
      citation: 'homebrew-core Formula/c/ca-certificates.rb (pkgetc/"cert.pem")',
    },
    {
      kind: 'file',
      path: '/opt/homebrew/etc/openssl@3/cert.pem',
      systems: 'Homebrew OpenSSL on Apple silicon',
      citation: 'homebrew-core Formula/o/openssl@3.rb (openssldir)',
    },
    {
      kind: 'file',
      path: '/usr/local/etc/ca-certificates/cert.pem',
      systems: 'Homebrew on Intel',
      citation: 'homebrew-core Formula/c/ca-certificates.rb (pkgetc/"cert.pem")',
    },
    {
      kind: 'file',
      path: '/usr/local/etc/openssl@3/cert.pem',
      systems: 'Homebrew OpenSSL on Intel',
      citation: 'homebrew-core Formula/o/openssl@3.rb (openssldir)',
    },
    {
      kind: 'directory',
      path: '/System/Library/OpenSSL/certs',
      systems: 'OPENSSLDIR of Node',
      citation: 'OPENSSLDIR in Node deps/openssl/openssl_common.gypi; X509_get_default_cert_dir(3)',
    },
  ],
  afterSystemStore: [
    {
      kind: 'file',
      path: '/etc/ssl/cert.pem',
      systems: 'macOS (LibreSSL)',
      citation: 'macOS openssl(1), FILES; openssl-probe, src/lib.rs',
    },
  ],
}
