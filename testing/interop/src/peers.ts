import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where `scripts/lib/peers.mjs` unpacks what cannot be installed beside the others. */
export const unpackedPeers = '/usr/local/lib/interop-peers'

/** The programs we are shown against, and where they live when they are not on PATH. */
const programs = {
  openssl: [],
  'gnutls-serv': [],
  'gnutls-cli': [],
  certtool: [],
  curl: [],
  nginx: ['/usr/sbin/nginx'],
  perl: [],
  python3: ['/usr/bin/python3'],
  chromium: [],
  certutil: [],
  stunnel4: [],
  dovecot: ['/usr/sbin/dovecot'],
  postfix: ['/usr/sbin/postfix'],
  slapd: ['/usr/sbin/slapd'],
  proftpd: ['/usr/sbin/proftpd', `${unpackedPeers}/usr/sbin/proftpd`],
  'pure-ftpd': ['/usr/sbin/pure-ftpd', `${unpackedPeers}/usr/sbin/pure-ftpd`],
  nnrpd: [`${unpackedPeers}/usr/lib/news/bin/nnrpd`],
  inspircd: ['/usr/sbin/inspircd'],
  mariadbd: ['/usr/sbin/mariadbd'],
  tinyproxy: [],
  vsftpd: ['/usr/sbin/vsftpd'],
  lftp: [],
  postgres: [
    '/usr/lib/postgresql/15/bin/postgres',
    '/usr/lib/postgresql/16/bin/postgres',
    '/usr/lib/postgresql/17/bin/postgres',
  ],
  'redis-server': [],
  prosody: [],
  faketime: [],
  go: [],
  sslscan: [],
  testssl: [],
} as const satisfies Record<string, readonly string[]>

export type PeerName = keyof typeof programs

/**
 * The path of a peer's program, or undefined (with one printed line) where it is not installed.
 * With REQUIRE_PEERS=1 a missing peer is an error: CI installs them all.
 * Use: `const openssl = peer('openssl')`, then `describe.skipIf(openssl === undefined)(…)`.
 */
export function peer(name: PeerName): string | undefined {
  const candidates = [
    ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)),
    ...programs[name],
  ]
  const found = candidates.find(isExecutable)
  if (found !== undefined) return found
  if (process.env['REQUIRE_PEERS'] === '1') throw new Error(`the peer '${name}' is required but not installed`)
  console.log(`skipped: '${name}' is not installed`)
  return undefined
}

/** Whether this is `pnpm interop:full`. */
export const isFullRun: boolean = process.env['INTEROP_FULL'] === '1'

/** As `peer`, for what only the full run has: undefined, and nothing printed, elsewhere. */
export function peerOfFull(name: PeerName): string | undefined {
  return isFullRun ? peer(name) : undefined
}

/** True where Perl has this module; the original is `IO::Socket::SSL`. */
export { perlHas } from './perl.ts'

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
