import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  createOcspErrorResponse,
  createOcspRequest,
  createOcspResponse,
  OcspError,
  parseOcspRequest,
  verifyOcspResponse,
} from '../src/index.ts'
import { ca, codeOf, DAY, delegate, HOUR, leaf, NOW, question, respond, root } from './pki.ts'

describe('createOcspResponse', () => {
  it('answers a request by its own ids and nonce', () => {
    const nonce = randomBytes(32)
    const asked = parseOcspRequest(createOcspRequest({ certificate: leaf, issuer: ca }, { nonce, hash: 'sha256' }))
    const response = createOcspResponse({
      signer: delegate,
      certificates: [delegate],
      producedAt: NOW,
      nonce: asked.nonce!,
      responses: asked.certIds.map((certId) => ({
        certId,
        status: 'revoked',
        revokedAt: NOW - DAY,
        reason: 'superseded',
        thisUpdate: NOW - HOUR,
        nextUpdate: new Date(NOW + HOUR),
      })),
    })
    expect(verifyOcspResponse(response, { ...question, nonce })).toMatchObject({
      status: 'revoked',
      reason: 'superseded',
      revokedAt: new Date(NOW - DAY),
      thisUpdate: new Date(NOW - HOUR),
      nextUpdate: new Date(NOW + HOUR),
      nonce: 'matched',
    })
  })

  it('without nextUpdate', () => {
    expect(verifyOcspResponse(respond({ nextUpdate: null }), question).nextUpdate).toBeUndefined()
  })

  it('is produced now unless told', () => {
    const response = createOcspResponse({
      signer: ca,
      responses: [{ certificate: leaf, issuer: ca, status: 'revoked' }],
    })
    expect(Math.abs(verifyOcspResponse(response, question).producedAt.getTime() - Date.now())).toBeLessThan(60_000)
  })

  it.each([
    ['another key than the certificate has', { signer: { certificate: ca, privateKey: root.privateKey } }],
    ['no signer', { signer: undefined }],
    ['no responses', { responses: 'x' }],
    ['an unknown option', { signr: ca }],
    ['another digest for ids', { hash: 'md5' }],
    ['another responder id', { responderId: 'x' }],
    ['a time that is none', { producedAt: Number.NaN }],
    ['a date that is none', { producedAt: new Date(Number.NaN) }],
    ['a nonce that is none', { nonce: [] }],
  ])('refuses %s', (_name, options) => {
    expect(codeOf(() => respond({}, options as never))).toMatch(/^ERR_INVALID_ARG_/)
  })

  it.each([
    ['another status', { status: 'fine' }],
    ['a reason beside good', { reason: 'superseded' }],
    ['a time of revocation beside good', { revokedAt: NOW }],
    ['an unknown reason', { status: 'revoked', reason: 'because' }],
    ['an unknown key', { stat: 1 }],
    ['a time that is none', { thisUpdate: 'now' }],
  ])('refuses %s', (_name, single) => {
    expect(codeOf(() => respond(single as never))).toMatch(/^ERR_INVALID_ARG_/)
  })
})

describe('createOcspErrorResponse', () => {
  it.each(['malformedRequest', 'internalError', 'tryLater', 'sigRequired', 'unauthorized'] as const)('%s', (status) => {
    try {
      verifyOcspResponse(createOcspErrorResponse(status), question)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(OcspError)
      expect(error).toMatchObject({ code: 'ERR_OCSP_RESPONDER_FAILED', responseStatus: status })
    }
  })

  it.each(['successful', '', 'nonsense', undefined])('refuses %s', (status) => {
    expect(codeOf(() => createOcspErrorResponse(status as never))).toBe('ERR_INVALID_ARG_VALUE')
  })

  it.each([
    ['success without an answer', [0x30, 3, 10, 1, 0], 'ERR_OCSP_RESPONSE_INVALID'],
    ['a status that is not used', [0x30, 3, 10, 1, 4], 'ERR_OCSP_RESPONSE_INVALID'],
    ['a status that there is not', [0x30, 3, 10, 1, 7], 'ERR_OCSP_RESPONSE_INVALID'],
    ['a negative status', [0x30, 3, 10, 1, 0xff], 'ERR_OCSP_RESPONSE_INVALID'],
  ])('is not %s', (_name, bytes, code) => {
    expect(codeOf(() => verifyOcspResponse(Uint8Array.from(bytes), question))).toBe(code)
  })
})
