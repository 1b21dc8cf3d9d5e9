import { bitString, contextTag, element, integer, octetString, oid, sequence, setOf, Tag, time } from '@x/der'
import { matchHostname, type PresentedName } from '@x/verify-hostname'
import { describe, expect, it } from 'vitest'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Row {
  readonly cert: string
  readonly host: string
  readonly identity: string
  readonly cn_hex: string | null
  readonly alt_hex: readonly (readonly [type: number, hex: string])[]
}

const rows = corpus<Row>('hostname/callback_args.jsonl')
const certificates = new Map(
  corpus<{ id: string; pem: string }>('hostname/certs.jsonl')?.map(({ id, pem }) => [id, pem]),
)

/** The kinds the original hands to a callback; of the others it knows no text. */
const numbers: Readonly<Partial<Record<PresentedName['type'], number>>> = {
  email: 1,
  dns: 2,
  directory: 4,
  uri: 6,
  ip: 7,
}

describe.skipIf(rows === undefined)('what a callback is asked', () => {
  it('is what the original asks, but for the listed exceptions', () => {
    expect(rows).toHaveLength(2343)
    const differences: Difference[] = []
    for (const [id, { cert, host, identity, cn_hex, alt_hex }] of (rows ?? []).entries()) {
      const certificate = certificates.get(cert) ?? rebuilt(cn_hex, alt_hex)
      const expected = { identity, cn: cn_hex, alt: alt_hex }
      let asked: Readonly<Record<string, unknown>> | undefined
      matchHostname(certificate, host, {
        scheme: (hostname, commonName, altNames) => {
          const alt = altNames.flatMap((name) => {
            const number = numbers[name.type]
            return number === undefined ? [] : [[number, Buffer.from(name.raw).toString('hex')]]
          })
          asked = { identity: hostname, cn: commonName === undefined ? null : inTheEncodingOf(cn_hex, commonName), alt }
          return false
        },
      })
      for (const [part, value] of Object.entries(expected))
        if (JSON.stringify(asked?.[part]) !== JSON.stringify(value))
          differences.push({ id: `${id} ${part}`, expected: value, actual: asked?.[part] })
    }
    expectExceptions('verify-hostname-callback-args', differences)
  })
})

/** Some rows name a certificate that the corpus does not hold: one with the same names stands in for it. */
function rebuilt(cn: string | null, alt: Row['alt_hex']): Uint8Array {
  const algorithm = sequence(oid('1.3.101.112'))
  const hex = (text: string): Buffer => Buffer.from(text, 'hex')
  const commonName = cn === null ? [] : [setOf(sequence(oid('2.5.4.3'), element(Tag.TELETEX_STRING, hex(cn))))]
  const names = alt.map(([type, value]) => element(contextTag(type, type === 4), hex(value)))
  const extensions = sequence(sequence(oid('2.5.29.17'), octetString(sequence(...names))))
  const tbs = sequence(
    element(contextTag(0, true), integer(2)),
    integer(1),
    algorithm,
    sequence(),
    sequence(time(0), time(0)),
    sequence(...commonName),
    sequence(algorithm, bitString(new Uint8Array(32))),
    ...(names.length === 0 ? [] : [element(contextTag(3, true), extensions)]),
  )
  return sequence(tbs, algorithm, bitString(new Uint8Array(64)))
}

/** The original gives the octets as they stand; ours is text. */
function inTheEncodingOf(hex: string | null, commonName: string): string {
  const octets = Buffer.from(hex ?? '', 'hex')
  const encodings = [
    Buffer.from(commonName),
    Buffer.from(commonName, 'latin1'),
    Buffer.from(commonName, 'utf16le').swap16(),
    Buffer.from(Array.from(commonName, (c) => [0, 0, 0, c.charCodeAt(0)]).flat()),
  ]
  return (encodings.find((encoded) => encoded.equals(octets)) ?? Buffer.from(commonName)).toString('hex')
}
