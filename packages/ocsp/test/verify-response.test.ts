import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { createOcspResponse, verifyOcspResponse } from '../src/index.ts'
import { ca, codeOf, DAY, delegate, HOUR, leaf, MINUTE, NOW, otherLeaf, question, respond, VALID } from './pki.ts'

describe('what a verified response says', () => {
  it('good, with its times and who signed', () => {
    expect(verifyOcspResponse(respond(), question)).toEqual({
      status: 'good',
      thisUpdate: new Date(NOW - HOUR),
      nextUpdate: new Date(NOW - HOUR + DAY),
      producedAt: new Date(NOW - HOUR),
      validUntil: new Date(NOW - HOUR + DAY),
      responder: { by: 'issuer', certificate: new Uint8Array(ca.raw), noCheck: false },
      nonce: 'not-asked',
      weakDigest: false,
    })
  })

  it('revoked, with time and reason', () => {
    const response = respond({ status: 'revoked', revokedAt: NOW - 3 * DAY, reason: 'keyCompromise' })
    expect(verifyOcspResponse(response, question)).toMatchObject({
      status: 'revoked',
      revokedAt: new Date(NOW - 3 * DAY),
      reason: 'keyCompromise',
    })
  })

  it('revoked without a reason', () => {
    const status = verifyOcspResponse(respond({ status: 'revoked' }), question)
    expect(status).toMatchObject({ status: 'revoked', revokedAt: new Date(NOW - HOUR), reason: undefined })
  })

  it('unknown', () => {
    expect(verifyOcspResponse(respond({ status: 'unknown' }), question).status).toBe('unknown')
  })

  it.each(['sha1', 'sha256'] as const)('about a certificate named by %s', (hash) => {
    expect(verifyOcspResponse(respond({}, { hash }), question).status).toBe('good')
  })

  it.each(['key', 'name'] as const)('by a responder named by %s', (responderId) => {
    expect(verifyOcspResponse(respond({}, { responderId }), question).responder.by).toBe('issuer')
    const delegated = respond({}, { responderId, signer: delegate, certificates: [delegate] })
    expect(verifyOcspResponse(delegated, question).responder).toEqual({
      by: 'delegate',
      certificate: new Uint8Array(delegate.raw),
      noCheck: false,
    })
  })

  it('tells of a delegate that nobody is to look up', () => {
    const signer = ca.issue({
      extendedKeyUsage: ['OCSPSigning'],
      extensions: [{ oid: '1.3.6.1.5.5.7.48.1.5', raw: Uint8Array.of(5, 0) }],
      ...VALID,
    })
    expect(verifyOcspResponse(respond({}, { signer, certificates: [signer] }), question).responder.noCheck).toBe(true)
  })

  it('about each of several certificates', () => {
    const response = respond(
      {},
      {
        responses: [
          { certificate: otherLeaf, issuer: ca, status: 'revoked' },
          { certificate: leaf, issuer: ca, status: 'good' },
        ],
      },
    )
    expect(verifyOcspResponse(response, question).status).toBe('good')
    expect(verifyOcspResponse(response, { ...question, certificate: otherLeaf }).status).toBe('revoked')
  })

  it('the same for each form in which certificates come', () => {
    const response = respond()
    for (const [certificate, issuer] of [
      [leaf.cert, ca.cert],
      [Buffer.from(leaf.cert), Buffer.from(ca.cert)],
      [leaf.raw, ca.raw],
      [leaf.certificate, ca.certificate],
      [{ raw: Buffer.from(leaf.raw) }, { raw: Buffer.from(ca.raw) }],
    ] as const)
      expect(verifyOcspResponse(response, { certificate, issuer, now: new Date(NOW) }).status).toBe('good')
  })

  it('by what a buffer holds now, not by what it held before', () => {
    let twin = createAuthority({ subject: { commonName: 'Intermediate' }, ...VALID })
    const issuer = Buffer.from(twin.raw)
    const response = respond({}, { signer: twin, responses: [{ certificate: leaf, issuer: twin, status: 'good' }] })
    expect(verifyOcspResponse(response, { ...question, issuer }).status).toBe('good')
    do twin = createAuthority({ subject: { commonName: 'Intermediate' }, ...VALID })
    while (twin.raw.length !== issuer.length)
    issuer.set(twin.raw)
    expect(codeOf(() => verifyOcspResponse(response, { ...question, issuer }))).toBe('ERR_OCSP_NOT_COVERED')
  })
})

it('what is handed out can be overwritten without harm', () => {
  verifyOcspResponse(respond(), question).responder.certificate.fill(0)
  expect(verifyOcspResponse(respond(), question).status).toBe('good')
})

describe('signatures', () => {
  const kinds = [
    ['RSA PKCS#1', { type: 'rsa' }, {}],
    ['RSA PKCS#1, SHA-384', { type: 'rsa' }, { digest: 'sha384' }],
    ['RSA PSS', { type: 'rsa' }, { padding: 'pss' }],
    ['P-256', { type: 'ec' }, {}],
    ['P-384', { type: 'ec', curve: 'P-384' }, {}],
    ['P-521', { type: 'ec', curve: 'P-521' }, {}],
    ['Ed25519', { type: 'ed25519' }, {}],
  ] as const

  it.each(kinds)('%s: accepted, and refused when a bit is turned', (_name, privateKey, options) => {
    const issuer = createAuthority({ privateKey, ...VALID })
    const certificate = issuer.issue('a.example')
    const response = createOcspResponse({
      signer: issuer,
      producedAt: NOW,
      responses: [{ certificate, issuer, status: 'good' }],
      ...options,
    })
    expect(verifyOcspResponse(response, { certificate, issuer, now: NOW }).status).toBe('good')
    response[response.length - 1] = (response.at(-1) as number) ^ 1
    expect(codeOf(() => verifyOcspResponse(response, { certificate, issuer, now: NOW }))).toBe(
      'ERR_OCSP_SIGNATURE_INVALID',
    )
  })

  it('over SHA-1: refused, or told of', () => {
    const response = respond({}, { digest: 'sha1' })
    expect(codeOf(() => verifyOcspResponse(response, question))).toBe('ERR_OCSP_ALGORITHM_WEAK')
    expect(verifyOcspResponse(response, { ...question, weakDigests: 'tell' })).toMatchObject({
      status: 'good',
      weakDigest: true,
    })
    expect(verifyOcspResponse(respond(), { ...question, weakDigests: 'tell' }).weakDigest).toBe(false)
  })

  it('by a delegate whose certificate is signed over SHA-1: refused, or told of', () => {
    const signer = ca.issue({ extendedKeyUsage: ['OCSPSigning'], digest: 'sha1', ...VALID })
    const response = respond({}, { signer, certificates: [signer] })
    expect(codeOf(() => verifyOcspResponse(response, question))).toBe('ERR_OCSP_ALGORITHM_WEAK')
    expect(verifyOcspResponse(response, { ...question, weakDigests: 'tell' }).weakDigest).toBe(true)
  })

  it('by a delegate with a short RSA key: refused', () => {
    const signer = ca.issue({
      extendedKeyUsage: ['OCSPSigning'],
      privateKey: { type: 'rsa', bits: 1024 },
      ...VALID,
    })
    expect(codeOf(() => verifyOcspResponse(respond({}, { signer, certificates: [signer] }), question))).toBe(
      'ERR_OCSP_ALGORITHM_WEAK',
    )
  })
})

describe('times', () => {
  // thisUpdate, nextUpdate, producedAt relative to now; then the options; then what comes of it
  const table = [
    ['current', -HOUR, HOUR, -HOUR, {}, 'good'],
    ['thisUpdate now', 0, HOUR, 0, {}, 'good'],
    ['thisUpdate ahead within the skew', 4 * MINUTE, HOUR, 0, {}, 'good'],
    ['thisUpdate ahead beyond the skew', 6 * MINUTE, HOUR, 0, {}, 'ERR_OCSP_NOT_YET_VALID'],
    ['producedAt ahead within the skew', -HOUR, HOUR, 4 * MINUTE, {}, 'good'],
    ['producedAt in the future', -HOUR, HOUR, 6 * MINUTE, {}, 'ERR_OCSP_NOT_YET_VALID'],
    ['producedAt in the future, no skew allowed', -HOUR, HOUR, 1000, { clockSkewMs: 0 }, 'ERR_OCSP_NOT_YET_VALID'],
    ['nextUpdate past within the skew', -HOUR, -4 * MINUTE, -HOUR, {}, 'good'],
    ['nextUpdate past: a replay', -HOUR, -6 * MINUTE, -HOUR, {}, 'ERR_OCSP_EXPIRED'],
    ['nextUpdate past, no skew allowed', -HOUR, -1000, -HOUR, { clockSkewMs: 0 }, 'ERR_OCSP_EXPIRED'],
    ['nextUpdate past, more skew allowed', -HOUR, -30 * MINUTE, -HOUR, { clockSkewMs: HOUR }, 'good'],
    ['no nextUpdate, young', -HOUR, null, -HOUR, {}, 'good'],
    ['no nextUpdate, older than a day', -DAY - 6 * MINUTE, null, -HOUR, {}, 'ERR_OCSP_EXPIRED'],
    ['no nextUpdate, older than allowed', -2 * HOUR, null, -HOUR, { maxAgeMs: HOUR }, 'ERR_OCSP_EXPIRED'],
    ['current, but older than allowed', -2 * HOUR, HOUR, -HOUR, { maxAgeMs: HOUR }, 'ERR_OCSP_EXPIRED'],
    ['current for a long time', -40 * DAY, 40 * DAY, -40 * DAY, {}, 'good'],
    ['nextUpdate before thisUpdate', -HOUR, -2 * HOUR, -HOUR, { clockSkewMs: DAY }, 'ERR_OCSP_RESPONSE_INVALID'],
  ] as const

  it.each(table)('%s', (_name, thisUpdate, nextUpdate, producedAt, options, expected) => {
    const times = { thisUpdate: NOW + thisUpdate, nextUpdate: nextUpdate === null ? null : NOW + nextUpdate }
    const judge = (status: 'good' | 'unknown' | 'revoked'): string => {
      const response = respond({ ...times, status }, { producedAt: NOW + producedAt })
      let found = ''
      const code = codeOf(() => (found = verifyOcspResponse(response, { ...question, ...options }).status))
      return found || code
    }
    expect(judge('good')).toBe(expected)
    expect(judge('unknown')).toBe(expected === 'good' ? 'unknown' : expected)
    expect(judge('revoked')).toBe('revoked') // old news of a revocation stays bad news
  })

  it('a delegate bounds how long its answers count', () => {
    const signer = ca.issue({ extendedKeyUsage: ['OCSPSigning'], notBefore: NOW - DAY, notAfter: NOW + HOUR })
    const response = respond({ nextUpdate: NOW + 7 * DAY }, { signer, certificates: [signer] })
    expect(verifyOcspResponse(response, question).validUntil).toEqual(new Date(NOW + HOUR))
  })
})

describe('nonces', () => {
  const nonce = Buffer.alloc(32, 7)
  const table = [
    ['none sent, none back', undefined, undefined, {}, 'not-asked'],
    ['none sent, one back', undefined, nonce, {}, 'not-asked'],
    ['the one sent', nonce, nonce, {}, 'matched'],
    ['none back', nonce, undefined, {}, 'ERR_OCSP_NONCE_MISMATCH'],
    ['none back, and that is fine', nonce, undefined, { missingNonce: 'accept' }, 'missing'],
    ['another one back', nonce, Buffer.alloc(32, 8), {}, 'ERR_OCSP_NONCE_MISMATCH'],
    [
      'another one back where none would be fine',
      nonce,
      Buffer.alloc(32, 8),
      { missingNonce: 'accept' },
      'ERR_OCSP_NONCE_MISMATCH',
    ],
    ['a part of it back', nonce, nonce.subarray(1), {}, 'ERR_OCSP_NONCE_MISMATCH'],
  ] as const

  it.each(table)('%s', (_name, sent, back, options, expected) => {
    const response = respond({}, back === undefined ? {} : { nonce: back })
    let found = ''
    const code = codeOf(
      () => (found = verifyOcspResponse(response, { ...question, ...options, ...(sent && { nonce: sent }) }).nonce),
    )
    expect(found || code).toBe(expected)
  })

  it('a revocation counts even with another nonce', () => {
    const status = verifyOcspResponse(respond({ status: 'revoked' }, { nonce: Buffer.alloc(32, 8) }), {
      ...question,
      nonce,
    })
    expect(status).toMatchObject({ status: 'revoked', nonce: 'mismatched' })
  })
})

describe('misuse', () => {
  it.each([
    ['der', undefined, {}],
    ['der', 'text', {}],
    ['certificate', respond(), { certificate: undefined }],
    ['issuer', respond(), { issuer: null }],
    ['now', respond(), { now: Number.NaN }],
    ['now', respond(), { now: new Date(Number.NaN) }],
    ['now', respond(), { now: '2026' }],
    ['now', respond(), { now: Infinity }],
    ['clockSkewMs', respond(), { clockSkewMs: Number.NaN }],
    ['clockSkewMs', respond(), { clockSkewMs: Infinity }],
    ['maxAgeMs', respond(), { maxAgeMs: -1 }],
    ['missingNonce', respond(), { missingNonce: true }],
    ['weakDigests', respond(), { weakDigests: 'accept' }],
    ['nonce', respond(), { nonce: 'x' }],
    ['skew', respond(), { skew: 5 }],
  ])('refuses %s %#', (name, der, options) => {
    const action = (): unknown => verifyOcspResponse(der as never, { ...question, ...options } as never)
    expect(codeOf(action)).toMatch(/^ERR_INVALID_ARG_/)
    expect(action).toThrow(name)
    expect(action).toThrow(TypeError)
  })

  it('refuses no options at all', () => {
    expect(codeOf(() => verifyOcspResponse(respond(), undefined as never))).toBe('ERR_INVALID_ARG_TYPE')
  })
})
