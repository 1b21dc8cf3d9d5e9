import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Crl, CrlError, isRevoked, parseCrl } from '../src/index.ts'
import { authority, distributionPoints, leaf, list, NOW } from './authorities.ts'

/** FUZZ_RUNS sets how many; fast-check prints the seed of a failure. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2000)

const ca = authority('Fuzzed CA')
const uri = 'http://crl.example/1'
const certificate = leaf(ca, { extensions: [distributionPoints({ uris: [uri] })] })
const revoked = [
  { certificate: certificate.raw, reason: 'keyCompromise' as const, invalidityDate: NOW },
  { serial: 5, certificateIssuer: ca.raw },
]
const seeds: readonly Crl[] = [
  list(ca, { revoked: revoked.slice(0, 1), number: 1 }),
  list(ca, { revoked: revoked.slice(0, 1), scope: { uris: [uri], only: 'users' } }),
  list(ca, { revoked, scope: { indirect: true } }),
  list(ca, { revoked: revoked.slice(0, 1), number: 2, baseNumber: 1 }),
]

/** A seed in which some octets were changed, cut out or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'insert')), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([{ der }, changes]) => {
    const octets = [...der]
    for (const [place, octet, how] of changes) {
      const at = place % octets.length
      if (how === 'set') octets[at] = octet
      else octets.splice(at, how === 'cut' ? 1 + (octet % 8) : 0, ...(how === 'insert' ? [octet] : []))
    }
    return Uint8Array.from(octets)
  })

function readAll(der: Uint8Array): void {
  try {
    const crl = parseCrl(der)
    for (const entry of crl.entries()) void entry.reason
    crl.find(Uint8Array.of(5))
  } catch (error) {
    if (!(error instanceof CrlError)) throw error
  }
}

describe('hostile lists', () => {
  it('random octets and mutated lists: read, or refused with a code', () => {
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), readAll), { numRuns })
  })

  it('a mutated list is never good, whatever it says', () => {
    fc.assert(
      fc.property(mutated, (der) => {
        if (seeds.some((seed) => Buffer.compare(seed.der, der) === 0)) return
        const { status } = isRevoked(certificate.raw, ca.raw, { crls: der, now: NOW })
        expect(status).not.toBe('good')
      }),
      { numRuns },
    )
  })

  it('random text is refused with a code', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        const pem = `-----BEGIN X509 CRL-----\n${text}\n-----END X509 CRL-----\n`
        for (const input of [text, pem, Buffer.from(pem)]) expect(() => parseCrl(input)).toThrow(CrlError)
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })

  it('deep nesting and 10 MB of headers end in bounded time', () => {
    for (const octets of [
      [0x30, 0x80],
      [0x30, 0x84, 0x00, 0x98, 0x96, 0x80],
      [0x30, 0x82, 0xff, 0xff],
    ]) {
      const der = new Uint8Array(10_000_000)
      for (let i = 0; i + octets.length < der.length; i += octets.length) der.set(octets, i)
      expect(() => parseCrl(der)).toThrow(CrlError)
    }
  })
})
