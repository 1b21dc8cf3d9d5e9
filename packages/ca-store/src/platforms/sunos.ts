import type { Platform } from '../platforms.ts'

export const sunos: Platform = {
  delimiter: ':',
  hasSystemStore: false,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: '/etc/certs/ca-certificates.crt',
      systems: 'Solaris 11.2 and newer',
      citation: 'Go crypto/x509 root_solaris.go',
    },
    {
      kind: 'file',
      path: '/etc/ssl/certs/ca-certificates.crt',
      systems: 'SmartOS',
      citation: 'Go crypto/x509 root_solaris.go',
    },
    {
      kind: 'file',
      path: '/etc/ssl/cacert.pem',
      systems: 'OmniOS',
      citation: 'Go crypto/x509 root_solaris.go',
    },
    {
      kind: 'directory',
      path: '/etc/certs/CA',
      systems: 'Solaris',
      citation: 'Go crypto/x509 root_solaris.go',
    },
  ],
}
