import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { OcspError, OcspResolver, parseOcspRequest, verifyOcspResponse } from '../src/index.ts'
import { createOcspRequest } from '../src/request.ts'
import { chain, ca, delegate, leaf, LEAF_URL, NOW, question, respond } from './pki.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2_000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

beforeAll(() => console.log(`FUZZ_SEED=${seed}`))
afterAll(() => void vi.restoreAllMocks())

/** Changes bytes, cuts, doubles and inserts. */
function mutation(base: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat(base.length - 1)
  const change = fc
    .array(fc.tuple(at, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const out = Uint8Array.from(base)
      for (const [i, mask] of changes) out[i] = (out[i] as number) ^ mask
      return out
    })
  const cut = fc.tuple(at, fc.nat(20)).map(([i, n]) => Buffer.concat([base.subarray(0, i), base.subarray(i + n)]))
  const insert = fc
    .tuple(at, fc.uint8Array({ maxLength: 20 }))
    .map(([i, bytes]) => Buffer.concat([base.subarray(0, i), bytes, base.subarray(i)]))
  return fc.oneof({ weight: 4, arbitrary: change }, cut, insert)
}

describe('fuzz', () => {
  const direct = respond()
  const delegated = respond({}, { signer: delegate, certificates: [delegate], nonce: new Uint8Array(32) })
  const bad = respond({ status: 'revoked', reason: 'keyCompromise' })

  it.each([
    ['signed by the issuer', direct],
    ['signed by a delegate', delegated],
    ['that says revoked', bad],
  ])('a mutated response %s is refused with a code, or still says exactly what was signed', (_name, base) => {
    const truth = verifyOcspResponse(base, question)
    fc.assert(
      fc.property(mutation(base), (der) => {
        try {
          const status = verifyOcspResponse(der, question)
          // Only what nobody signed may differ: the certificates that came along, and a signature's own encoding.
          expect({ ...status, responder: status.responder.by }).toEqual({ ...truth, responder: truth.responder.by })
        } catch (error) {
          if (!(error instanceof OcspError)) throw error
          expect(error.code).toMatch(/^ERR_OCSP_/)
        }
      }),
      { numRuns, seed },
    )
  })

  it('random bytes are no response, no request and no certificate', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const action of [
          () => verifyOcspResponse(bytes, question),
          () => parseOcspRequest(bytes),
          () => verifyOcspResponse(direct, { ...question, certificate: bytes }),
          () => verifyOcspResponse(direct, { ...question, issuer: bytes }),
          () => createOcspRequest({ certificate: bytes, issuer: ca }),
        ])
          expect(action).toThrow(OcspError)
      }),
      { numRuns, seed },
    )
  })

  it('a mutated request reads or is refused with a code', () => {
    fc.assert(
      fc.property(
        mutation(createOcspRequest([{ certificate: leaf, issuer: ca }], { nonce: new Uint8Array(32) })),
        (der) => {
          try {
            expect(parseOcspRequest(der).certIds.length).toBeGreaterThan(0)
          } catch (error) {
            if (!(error instanceof OcspError)) throw error
            expect(error.code).toBe('ERR_OCSP_REQUEST_INVALID')
          }
        },
      ),
      { numRuns, seed },
    )
  })

  it('a mutated certificate or issuer never turns into a good answer that it should not be', () => {
    fc.assert(
      fc.property(mutation(leaf.raw), (certificate) => {
        try {
          // Only issuer name and serial number count here: the certificate itself is verified by others.
          expect(verifyOcspResponse(direct, { ...question, certificate }).status).toBe('good')
        } catch (error) {
          expect((error as OcspError).code).toMatch(/^ERR_OCSP_(CERTIFICATE_INVALID|NOT_COVERED)$/)
        }
      }),
      { numRuns, seed },
    )
  })

  it('bodies given to a resolver are never good but for the one that is', () => {
    fc.assert(
      fc.property(fc.oneof(mutation(direct), mutation(bad), fc.uint8Array({ maxLength: 2_000 })), (body) => {
        const resolver = new OcspResolver({ chain: [...chain], now: () => NOW, failure: 'hard', nonce: 'off' })
        resolver.requests()
        const error = resolver.addResponse(LEAF_URL, body)
        if (error === undefined) expect(verifyOcspResponse(body, question).status).toBe('good')
        else expect(error.code).toMatch(/^ERR_OCSP_/)
      }),
      { numRuns: Math.ceil(numRuns / 4), seed },
    )
  })
})
