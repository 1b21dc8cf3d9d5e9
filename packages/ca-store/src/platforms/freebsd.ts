import type { Platform } from '../platforms.ts'

/** certctl(8) keeps both of the base system's; the port writes the others. */
export const freebsd: Platform = {
  delimiter: ':',
  hasSystemStore: false,
  afterSystemStore: [],
  rows: [
    {
      kind: 'file',
      path: '/etc/ssl/cert.pem',
      systems: 'FreeBSD',
      citation: 'certctl(8), FILES; security/ca_root_nss (ETCSYMLINK)',
    },
    {
      kind: 'file',
      path: '/usr/local/etc/ssl/cert.pem',
      systems: 'FreeBSD ports',
      citation: 'security/ca_root_nss; Go crypto/x509 root_bsd.go',
    },
    {
      kind: 'file',
      path: '/usr/local/share/certs/ca-root-nss.crt',
      systems: 'FreeBSD ports, DragonFly',
      citation: 'security/ca_root_nss; Go crypto/x509 root_bsd.go',
    },
    {
      kind: 'directory',
      path: '/etc/ssl/certs',
      systems: 'FreeBSD 12.2 and newer',
      citation: 'certctl(8), FILES; Go crypto/x509 root_bsd.go',
    },
  ],
}
