import { bitString, contextTag, element, integer, octetString, oid, sequence, setOf, time, utf8String } from '@x/der'
import { parseIpv4, parseIpv6 } from '../src/match-ip-address.ts'

/** One GeneralName: a DNS name as plain text, another kind by its prefix (`ip:`, `email:`, `uri:`), or an element. */
export type AltName = string | Uint8Array

/** The DER of a certificate with these names; its signature is none, since nobody here looks at it. `behind`: more of the signed part. */
export function certificate(
  altNames: readonly AltName[] | undefined,
  commonName?: string | Uint8Array | readonly (string | Uint8Array)[],
  moreExtensions: readonly Uint8Array[] = [],
  behind: readonly Uint8Array[] = [],
): Uint8Array {
  const commonNames = commonName === undefined ? [] : Array.isArray(commonName) ? commonName : [commonName]
  const subject = sequence(
    ...commonNames.map((name: string | Uint8Array) =>
      setOf(sequence(oid('2.5.4.3'), typeof name === 'string' ? utf8String(name) : name)),
    ),
  )
  const extensions = [...(altNames === undefined ? [] : [altNameExtension(altNames)]), ...moreExtensions]
  const algorithm = sequence(oid('1.3.101.112'))
  const tbs = sequence(
    element(contextTag(0, true), integer(2)),
    integer(1),
    algorithm,
    sequence(),
    sequence(time(0), time(4e12)),
    subject,
    sequence(algorithm, bitString(new Uint8Array(32))),
    ...(extensions.length === 0 ? [] : [element(contextTag(3, true), sequence(...extensions))]),
    ...behind,
  )
  return sequence(tbs, algorithm, bitString(new Uint8Array(64)))
}

/** A subjectAltName extension. */
export function altNameExtension(altNames: readonly AltName[]): Uint8Array {
  return extension('2.5.29.17', sequence(...altNames.map(generalName)))
}

export function extension(id: string, value: Uint8Array): Uint8Array {
  return sequence(oid(id), octetString(value))
}

function generalName(name: AltName): Uint8Array {
  if (typeof name !== 'string') return name
  const [, kind = 'dns', value = ''] = /^(?:(ip|email|uri):)?(.*)$/s.exec(name) ?? []
  if (kind === 'ip') return element(contextTag(7), parseIpv4(value) ?? (parseIpv6(value) as Uint8Array))
  return element(contextTag(kind === 'dns' ? 2 : kind === 'email' ? 1 : 6), Buffer.from(value, 'latin1'))
}

export function pem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
