import * as starttls from '@x/starttls'
import type { StartTls } from '@x/starttls'

interface Protocol {
  readonly start: StartTls
  /** Where its servers listen (IANA), for a target without a port. */
  readonly port: number
}

/** What `--starttls` takes. */
export const protocols: ReadonlyMap<string, Protocol> = new Map<string, Protocol>([
  ['ftp', { start: starttls.ftp, port: 21 }],
  ['imap', { start: starttls.imap, port: 143 }],
  ['irc', { start: starttls.irc, port: 6667 }],
  ['ldap', { start: starttls.ldap, port: 389 }],
  ['lmtp', { start: starttls.lmtp, port: 24 }],
  ['mysql', { start: starttls.mysql, port: 3306 }],
  ['nntp', { start: starttls.nntp, port: 119 }],
  ['pop3', { start: starttls.pop3, port: 110 }],
  ['postgres', { start: starttls.postgres, port: 5432 }],
  ['sieve', { start: starttls.sieve, port: 4190 }],
  ['smtp', { start: starttls.smtp, port: 25 }],
  ['xmpp', { start: starttls.xmpp, port: 5222 }],
])
