import {
  bitString,
  contextTag,
  element,
  generalizedTime,
  integer,
  nullElement,
  octetString,
  oid,
  openDer,
  readInteger,
  sequence,
  Tag,
} from '@x/der'
import { createAuthority } from '@x/utils'
import { CertificateView } from '@x/der/x509'
import { describe, expect, it } from 'vitest'
import { MAX_RESPONSE_BYTES, verifyOcspResponse } from '../src/index.ts'
import { certIdOf } from '../src/request.ts'
import {
  byKey,
  ca,
  codeOf,
  DAY,
  delegate,
  extension,
  HOUR,
  leaf,
  NOW,
  otherLeaf,
  question,
  raw,
  rawSingle,
  respond,
  root,
  VALID,
} from './pki.ts'

const verify = (response: Uint8Array): string => codeOf(() => verifyOcspResponse(response, question))
const signing = { extendedKeyUsage: ['OCSPSigning'], ...VALID }

/** The same certificate with the other of the two ECDSA signatures that P-256 allows for: (r, n - s). */
function withOtherSignature(der: Uint8Array): Uint8Array {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const { tbs, signatureAlgorithm, signature } = new CertificateView(der)
  const fields = openDer(signature)
  const r = readInteger(fields.expect(Tag.INTEGER))
  const s = readInteger(fields.expect(Tag.INTEGER))
  return sequence(tbs, signatureAlgorithm, bitString(sequence(integer(r), integer(order - s))))
}

describe('a response about something else', () => {
  it('another certificate of the same CA', () => {
    const response = respond({}, { responses: [{ certificate: otherLeaf, issuer: ca, status: 'good' }] })
    expect(verify(response)).toBe('ERR_OCSP_NOT_COVERED')
  })

  it('no certificate at all', () => {
    expect(verify(respond({}, { responses: [] }))).toBe('ERR_OCSP_NOT_COVERED')
  })

  it('a certificate of the same serial number from another CA', () => {
    const other = createAuthority({ subject: { commonName: 'Other' }, ...VALID })
    const twin = other.issue({ names: 'x', serial: new CertificateView(leaf.raw).serialNumber })
    expect(verify(respond({}, { responses: [{ certificate: twin, issuer: other, status: 'good' }] }))).toBe(
      'ERR_OCSP_NOT_COVERED',
    )
  })

  it('another issuer with the same name, that is: another key', () => {
    const twin = createAuthority({ subject: { commonName: 'Intermediate' }, ...VALID })
    const about = { responses: [{ certificate: leaf, issuer: twin, status: 'good' as const }] }
    expect(verify(respond({}, about))).toBe('ERR_OCSP_NOT_COVERED')
    expect(verify(respond({}, { signer: twin, ...about }))).toBe('ERR_OCSP_NOT_COVERED')
    // signed by the twin about the true issuer's certificate
    expect(verify(respond({}, { signer: twin, responderId: 'key' }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
    expect(verify(respond({}, { signer: twin, certificates: [twin] }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
    expect(verify(respond({}, { signer: twin, responderId: 'key', certificates: [twin] }))).toBe(
      'ERR_OCSP_RESPONDER_UNAUTHORIZED',
    )
    expect(verify(respond({}, { signer: twin, responderId: 'name' }))).toBe('ERR_OCSP_SIGNATURE_INVALID')
  })

  it('a certificate named by a digest that nobody knows', () => {
    const id = certIdOf({ certificate: leaf, issuer: ca }, 'sha1')
    const unknown = Uint8Array.from(id)
    unknown[8] = 0x7f // inside the digest's OID
    expect(verify(raw({ singles: [rawSingle({ certId: unknown })] }))).toBe('ERR_OCSP_NOT_COVERED')
  })
})

describe('a response by somebody else', () => {
  const other = createAuthority({ subject: { commonName: 'Other' }, ...VALID })

  it('a trusted CA that did not issue the certificate', () => {
    expect(verify(respond({}, { signer: root, certificates: [root] }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it('a delegate of another CA', () => {
    const signer = other.issue(signing)
    expect(verify(respond({}, { signer, certificates: [signer] }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it('a delegate that claims the CA by name, signed by another key', () => {
    const twin = createAuthority({ subject: { commonName: 'Intermediate' }, ...VALID })
    const signer = twin.issue(signing)
    expect(verify(respond({}, { signer, certificates: [signer] }))).toBe('ERR_OCSP_SIGNATURE_INVALID')
  })

  it('a delegate of a delegate, or of a CA below', () => {
    const below = ca.issue({ ca: true, subject: { commonName: 'Below' }, ...VALID })
    const signer = below.issue(signing)
    expect(verify(respond({}, { signer, certificates: [signer, below] }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it('a delegate of the root, for a certificate of the intermediate', () => {
    const signer = root.issue(signing)
    expect(verify(respond({}, { signer, certificates: [signer] }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it.each([
    ['no extended key usage', { extendedKeyUsage: [] }],
    ['another extended key usage', { extendedKeyUsage: ['serverAuth'] }],
    ['any extended key usage', { extendedKeyUsage: ['2.5.29.37.0'] }],
    ['a key usage without signatures', { keyUsage: ['keyEncipherment'] }],
    ['an unknown critical extension', { extensions: [{ oid: '1.2.3.4', critical: true, raw: Uint8Array.of(5, 0) }] }],
    ['a critical name constraint', { extensions: [{ oid: '2.5.29.30', critical: true, raw: Uint8Array.of(0x30, 0) }] }],
    [
      'an extended key usage that cannot be read',
      { extendedKeyUsage: [], extensions: [{ oid: '2.5.29.37', raw: Uint8Array.of(0x30, 5) }] },
    ],
  ])('a delegate with %s', (_name, options) => {
    const signer = ca.issue({ ...signing, ...options })
    expect(verify(respond({}, { signer, certificates: [signer] }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it('the certificate itself, which has the right to sign', () => {
    const certificate = ca.issue({ names: 'self.example', ...signing })
    const response = respond(
      {},
      { signer: certificate, certificates: [certificate], responses: [{ certificate, issuer: ca, status: 'good' }] },
    )
    expect(codeOf(() => verifyOcspResponse(response, { ...question, certificate }))).toBe(
      'ERR_OCSP_RESPONDER_UNAUTHORIZED',
    )
  })

  it('the certificate itself, its signature encoded in another way', () => {
    const certificate = ca.issue({ names: 'self.example', ...signing })
    const twin = withOtherSignature(certificate.raw)
    expect(twin).not.toEqual(Uint8Array.from(certificate.raw))
    const signer = { certificate: twin, privateKey: certificate.privateKey }
    const response = respond(
      {},
      { signer, certificates: [twin], responses: [{ certificate, issuer: ca, status: 'good' }] },
    )
    expect(codeOf(() => verifyOcspResponse(response, { ...question, certificate }))).toBe(
      'ERR_OCSP_RESPONDER_UNAUTHORIZED',
    )
  })

  it.each([
    ['before the delegate was valid', NOW + DAY, NOW + 9 * DAY],
    ['after the delegate was valid', NOW - 9 * DAY, NOW - DAY],
  ])('%s', (_name, notBefore, notAfter) => {
    const signer = ca.issue({ ...signing, notBefore, notAfter })
    expect(verify(respond({}, { signer, certificates: [signer] }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it('with the key of a delegate of old, dated back into its time', () => {
    const signer = ca.issue({ ...signing, notBefore: NOW - 90 * DAY, notAfter: NOW - 30 * DAY })
    const response = respond(
      { thisUpdate: NOW - 60 * DAY, nextUpdate: NOW + 60 * DAY },
      { signer, certificates: [signer], producedAt: NOW - 60 * DAY },
    )
    expect(verify(response)).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it('a delegate that was not yet valid when it says that it signed', () => {
    const signer = ca.issue({ ...signing, notBefore: NOW - HOUR, notAfter: NOW + DAY })
    expect(verify(respond({ thisUpdate: NOW - DAY }, { signer, certificates: [signer], producedAt: NOW - DAY }))).toBe(
      'ERR_OCSP_RESPONDER_UNAUTHORIZED',
    )
  })

  it('a delegate that did not come along', () => {
    expect(verify(respond({}, { signer: delegate }))).toBe('ERR_OCSP_RESPONDER_UNAUTHORIZED')
  })

  it('another delegate than the one that is named', () => {
    const second = ca.issue(signing)
    expect(verify(raw({ signer: second, responder: byKey(delegate), certificates: [delegate.raw, second.raw] }))).toBe(
      'ERR_OCSP_SIGNATURE_INVALID',
    )
    expect(verify(raw({ signer: second, responder: byKey(ca), certificates: [second.raw] }))).toBe(
      'ERR_OCSP_SIGNATURE_INVALID',
    )
  })

  it('one of many: only the first few are tried', () => {
    const impostors = Array.from(
      { length: 5 },
      () => ca.issue({ subject: { commonName: 'Responder' }, ...signing }).raw,
    )
    const name = element(contextTag(1, true), new CertificateView(delegate.raw).subject)
    expect(verify(raw({ signer: delegate, responder: name, certificates: [...impostors, delegate.raw] }))).toBe(
      'ERR_OCSP_RESPONDER_UNAUTHORIZED',
    )
    const found = raw({ signer: delegate, responder: name, certificates: [...impostors.slice(0, 2), delegate.raw] })
    expect(verifyOcspResponse(found, question).status).toBe('good')
  })
})

describe('several answers about the same certificate', () => {
  const order = [
    [['good', 'revoked'], 'revoked'],
    [['revoked', 'good'], 'revoked'],
    [['good', 'unknown'], 'unknown'],
    [['unknown', 'good'], 'unknown'],
    [['unknown', 'revoked'], 'revoked'],
    [['good', 'good'], 'good'],
  ] as const

  it.each(order)('%j: %s', (statuses, expected) => {
    const response = respond({}, { responses: statuses.map((status) => ({ certificate: leaf, issuer: ca, status })) })
    expect(verifyOcspResponse(response, question).status).toBe(expected)
  })

  it('a revocation of long ago beside a current good one', () => {
    const response = respond(
      {},
      {
        responses: [
          { certificate: leaf, issuer: ca, status: 'good' },
          { certificate: leaf, issuer: ca, status: 'revoked', thisUpdate: NOW - 90 * DAY, nextUpdate: NOW - 80 * DAY },
        ],
      },
    )
    expect(verifyOcspResponse(response, question).status).toBe('revoked')
  })

  it('good by one digest and revoked by another', () => {
    const response = raw({
      singles: [
        rawSingle({ certId: certIdOf({ certificate: leaf, issuer: ca }, 'sha1') }),
        rawSingle({
          certId: certIdOf({ certificate: leaf, issuer: ca }, 'sha256'),
          status: element(contextTag(1, true), generalizedTime(NOW - DAY)),
        }),
      ],
    })
    expect(verifyOcspResponse(response, question).status).toBe('revoked')
  })
})

describe('extensions', () => {
  it.each([
    ['of the response', (critical: boolean) => raw({ extensions: [extension('1.2.3.4', nullElement(), critical)] })],
    [
      'of the answer',
      (critical: boolean) =>
        raw({ singles: [rawSingle({ extensions: [extension('1.2.3.4', nullElement(), critical)] })] }),
    ],
  ])('unknown ones %s: critical refuses', (_name, make) => {
    expect(verify(make(true))).toBe('ERR_OCSP_CRITICAL_EXTENSION')
    expect(verifyOcspResponse(make(false), question).status).toBe('good')
  })

  it('of another good answer beside: critical refuses as well', () => {
    expect(
      verify(raw({ singles: [rawSingle(), rawSingle({ extensions: [extension('1.2.3.4', nullElement(), true)] })] })),
    ).toBe('ERR_OCSP_CRITICAL_EXTENSION')
  })

  it('a nonce twice', () => {
    const nonce = extension('1.3.6.1.5.5.7.48.1.2', octetString(Buffer.alloc(16, 1)))
    expect(verify(raw({ extensions: [nonce, nonce] }))).toBe('ERR_OCSP_RESPONSE_INVALID')
  })

  it('a nonce without its inner OCTET STRING, as responders of old send it', () => {
    const nonce = Buffer.alloc(16, 9)
    expect(
      verifyOcspResponse(raw({ extensions: [extension('1.3.6.1.5.5.7.48.1.2', nonce)] }), { ...question, nonce }).nonce,
    ).toBe('matched')
  })
})

describe('bytes', () => {
  it('truncated anywhere', () => {
    const response = respond({}, { signer: delegate, certificates: [delegate] })
    for (let length = 0; length < response.length; length++)
      expect(verify(response.subarray(0, length))).toMatch(/^ERR_OCSP_/)
  })

  it('with something behind', () => {
    expect(verify(Buffer.concat([respond(), Uint8Array.of(0)]))).toBe('ERR_OCSP_RESPONSE_INVALID')
  })

  it('too many', () => {
    expect(verify(new Uint8Array(MAX_RESPONSE_BYTES + 1))).toBe('ERR_OCSP_RESPONSE_TOO_LARGE')
    expect(verify(new Uint8Array(MAX_RESPONSE_BYTES))).toBe('ERR_OCSP_RESPONSE_INVALID')
  })

  it('with the data of one and the signature of another', () => {
    const good = respond()
    const revoked = respond({ status: 'unknown' })
    const mixed = Uint8Array.from(revoked)
    mixed.set(good.subarray(0, good.length - 75), 0)
    expect(verify(mixed)).toMatch(/^ERR_OCSP_(SIGNATURE|RESPONSE)_INVALID$/)
  })

  it.each([
    ['that nobody knows', sequence(oid('1.2.3.4')), 'ERR_OCSP_ALGORITHM_UNSUPPORTED'],
    ['that is none', sequence(), 'ERR_OCSP_ALGORITHM_UNSUPPORTED'],
    [
      'with parameters that it has not',
      sequence(oid('1.2.840.10045.4.3.2'), nullElement()),
      'ERR_OCSP_ALGORITHM_UNSUPPORTED',
    ],
    ['of another kind of key', sequence(oid('1.2.840.113549.1.1.11'), nullElement()), 'ERR_OCSP_SIGNATURE_INVALID'],
    ['over another digest', sequence(oid('1.2.840.10045.4.3.3')), 'ERR_OCSP_SIGNATURE_INVALID'],
    ['over MD5', sequence(oid('1.2.840.113549.1.1.4'), nullElement()), 'ERR_OCSP_ALGORITHM_WEAK'],
  ])('signed by an algorithm %s', (_name, algorithm, code) => {
    expect(verify(raw({ algorithm }))).toBe(code)
  })

  it('of a version that there is not', () => {
    const version = element(contextTag(0, true), Uint8Array.of(2, 1, 1))
    expect(verify(raw({ version }))).toBe('ERR_OCSP_RESPONSE_INVALID')
    const first = element(contextTag(0, true), Uint8Array.of(2, 1, 0))
    expect(verifyOcspResponse(raw({ version: first }), question).status).toBe('good')
  })

  it.each([
    ['a status with a content', rawSingle({ status: Uint8Array.of(0x80, 1, 0) })],
    ['a status that there is not', rawSingle({ status: Uint8Array.of(0x83, 0) })],
    ['good written as constructed', rawSingle({ status: Uint8Array.of(0xa0, 0) })],
    ['a time with fractions', rawSingle({ thisUpdate: element(0x18, Buffer.from('20261121110000.5Z')) })],
    ['a UTCTime', rawSingle({ thisUpdate: element(0x17, Buffer.from('261121110000Z')) })],
    ['no answer but a number', sequence(Uint8Array.of(2, 1, 1))],
  ])('with %s', (_name, single) => {
    expect(verify(raw({ singles: [single] }))).toBe('ERR_OCSP_RESPONSE_INVALID')
  })

  it('with a reason that RFC 5280 does not know: revoked all the same', () => {
    const status = element(
      contextTag(1, true),
      generalizedTime(NOW),
      element(contextTag(0, true), Uint8Array.of(10, 1, 7)),
    )
    expect(verifyOcspResponse(raw({ singles: [rawSingle({ status })] }), question)).toMatchObject({
      status: 'revoked',
      reason: undefined,
    })
  })
})
