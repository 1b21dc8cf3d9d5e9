import type { Platform } from '../platforms.ts'

/** Windows keeps its roots in a store that only the system can read: node:tls does, from 22.15 and 23.10 on. */
export const win32: Platform = {
  delimiter: ';',
  hasSystemStore: true,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: 'C:\\Program Files\\Common Files\\SSL\\cert.pem',
      systems: 'OPENSSLDIR of Node',
      citation: 'OPENSSLDIR in Node deps/openssl/openssl_common.gypi; OpenSSL NOTES-WINDOWS.md',
    },
    {
      kind: 'directory',
      path: 'C:\\Program Files\\Common Files\\SSL\\certs',
      systems: 'OPENSSLDIR of Node',
      citation: 'OPENSSLDIR in Node deps/openssl/openssl_common.gypi; OpenSSL NOTES-WINDOWS.md',
    },
  ],
}
