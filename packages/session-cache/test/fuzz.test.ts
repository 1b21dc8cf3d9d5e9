import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionCache, SessionCacheError, trustKey } from '../src/index.ts'
import { readPem } from '../src/pem.ts'
import { readTicket } from '../src/tls.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now())
const settings = { numRuns, seed }
const key = Buffer.alloc(32, 7)

describe(`hostile input (FUZZ_SEED=${seed})`, () => {
  it('readTicket answers for any bytes', () => {
    const start = fc.constantFrom('', '\0nodejs:tls:session:1\0', '\x30\x82', '\x30\x84\xff\xff\xff\xff')
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), (head, bytes) => {
        const ticket = readTicket(Buffer.concat([Buffer.from(head, 'latin1'), bytes]))
        expect(ticket === undefined || Number.isFinite(ticket.expires)).toBe(true)
      }),
      settings,
    )
  })

  it('a snapshot opens unaltered or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isMarked) => {
        const sealed = isMarked ? Buffer.concat([Buffer.from('XSC1'), bytes]) : bytes
        expect(() => SessionCache.deserialize(sealed, { key })).toThrow(SessionCacheError)
      }),
      settings,
    )
  })

  it('trustKey gives a key or a coded error, and the same for the same', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          try {
            expect(trustKey({ value })).toBe(trustKey({ value }))
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_SESSION_PARAMETER' })
          }
        },
      ),
      settings,
    )
  })

  it('PEM with junk is read in time that grows with its length', () => {
    const line = '-----BEGIN CERTIFICATE-----\nAAAA\n'
    for (const text of [
      line.repeat(200_000),
      '-----BEGIN '.repeat(500_000),
      `-----BEGIN A-----\n${'AAAA\n'.repeat(1_500_000)}`,
    ]) {
      expect(readPem(text)).toBeUndefined()
    }
  })
})
