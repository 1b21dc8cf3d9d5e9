import { randomBytes } from 'node:crypto'
import { contextTag, element, octetString, oid, sequence } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { describe, expect, it } from 'vitest'
import { createOcspRequest, namesCertificate, ocspCacheKey, parseOcspRequest } from '../src/index.ts'
import { certIdOf } from '../src/request.ts'
import { ca, codeOf, leaf, otherLeaf, root } from './pki.ts'

const pair = { certificate: leaf, issuer: ca }

describe('a request', () => {
  it('reads back', () => {
    const nonce = randomBytes(32)
    const { certIds, nonce: found } = parseOcspRequest(
      createOcspRequest([pair, { certificate: otherLeaf, issuer: ca }, { certificate: ca, issuer: root }], { nonce }),
    )
    expect(certIds.map((id) => id.hash)).toEqual(['sha1', 'sha1', 'sha1'])
    expect(certIds[0]?.serialNumber).toEqual(new CertificateView(leaf.raw).serialNumber)
    expect(Buffer.from(found as Uint8Array)).toEqual(nonce)
  })

  it('about one certificate, by either digest, without a nonce', () => {
    expect(parseOcspRequest(createOcspRequest(pair)).nonce).toBeUndefined()
    expect(parseOcspRequest(createOcspRequest([pair], { hash: 'sha256' })).certIds[0]?.hash).toBe('sha256')
  })

  it('names exactly its certificate', () => {
    const [id] = parseOcspRequest(createOcspRequest(pair)).certIds
    expect(namesCertificate(id!, pair)).toBe(true)
    expect(namesCertificate(id!, { certificate: otherLeaf, issuer: ca })).toBe(false)
    expect(namesCertificate(id!, { certificate: leaf, issuer: root })).toBe(false)
    expect(namesCertificate({ ...id!, hash: undefined }, pair)).toBe(false)
  })

  it.each([
    ['no pairs', () => createOcspRequest([]), 'ERR_INVALID_ARG_VALUE'],
    ['something else than pairs', () => createOcspRequest(null as never), 'ERR_INVALID_ARG_TYPE'],
    ['an unknown key in a pair', () => createOcspRequest({ ...pair, cert: 1 } as never), 'ERR_INVALID_ARG_VALUE'],
    ['an unknown option', () => createOcspRequest(pair, { nonse: randomBytes(8) } as never), 'ERR_INVALID_ARG_VALUE'],
    ['an empty nonce', () => createOcspRequest(pair, { nonce: new Uint8Array() }), 'ERR_INVALID_ARG_VALUE'],
    ['a nonce of 129 bytes', () => createOcspRequest(pair, { nonce: new Uint8Array(129) }), 'ERR_INVALID_ARG_VALUE'],
    ['a nonce that is text', () => createOcspRequest(pair, { nonce: 'abc' as never }), 'ERR_INVALID_ARG_TYPE'],
    ['another digest', () => createOcspRequest(pair, { hash: 'md5' as never }), 'ERR_INVALID_ARG_VALUE'],
    [
      'a certificate that is none',
      () => createOcspRequest({ certificate: Uint8Array.of(0x30, 0), issuer: ca }),
      'ERR_OCSP_CERTIFICATE_INVALID',
    ],
    [
      'an issuer that is none',
      () => createOcspRequest({ certificate: leaf, issuer: 'hello' }),
      'ERR_OCSP_CERTIFICATE_INVALID',
    ],
    [
      'an issuer that is no certificate at all',
      () => createOcspRequest({ certificate: leaf, issuer: 7 as never }),
      'ERR_INVALID_ARG_TYPE',
    ],
  ])('refuses %s', (_name, action, code) => {
    expect(codeOf(action)).toBe(code)
  })
})

describe('reading requests of others', () => {
  const id = certIdOf(pair, 'sha1')
  const nonceOf = (value: Uint8Array): Uint8Array =>
    element(contextTag(2, true), sequence(sequence(oid('1.3.6.1.5.5.7.48.1.2'), octetString(value))))

  it('with a version, a requestor, a signature and extensions that say nothing to us', () => {
    const list = sequence(sequence(id, element(contextTag(0, true), sequence(sequence(oid('1.2.3'), octetString(id))))))
    const der = sequence(
      sequence(
        element(contextTag(0, true), Uint8Array.of(2, 1, 0)),
        element(contextTag(1, true), element(0x82, Buffer.from('x'))),
        list,
      ),
      element(contextTag(0, true), sequence()),
    )
    expect(parseOcspRequest(der).certIds).toHaveLength(1)
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['a question about nothing', sequence(sequence(sequence()))],
    ['too many questions', sequence(sequence(sequence(...Array.from({ length: 65 }, () => sequence(id)))))],
    ['10 MB', new Uint8Array(10_000_000)],
    ['a nonce of no bytes', sequence(sequence(sequence(sequence(id)), nonceOf(octetString(new Uint8Array()))))],
    ['a nonce of 129 bytes', sequence(sequence(sequence(sequence(id)), nonceOf(octetString(new Uint8Array(129)))))],
    ['a nonce without its inner OCTET STRING', sequence(sequence(sequence(sequence(id)), nonceOf(new Uint8Array(8))))],
    [
      'another version',
      sequence(sequence(element(contextTag(0, true), Uint8Array.of(2, 1, 1)), sequence(sequence(id)))),
    ],
    ['something behind', Buffer.concat([createOcspRequest(pair), Uint8Array.of(0)])],
  ])('refuses %s', (_name, der) => {
    expect(codeOf(() => parseOcspRequest(der))).toBe('ERR_OCSP_REQUEST_INVALID')
  })

  it('refuses what is no bytes', () => {
    expect(codeOf(() => parseOcspRequest('x' as never))).toBe('ERR_INVALID_ARG_TYPE')
  })
})

describe('the cache key', () => {
  it('differs by certificate and by issuer key', () => {
    const keys = [pair, { certificate: otherLeaf, issuer: ca }, { certificate: leaf, issuer: root }].map(ocspCacheKey)
    expect(new Set(keys).size).toBe(3)
    expect(ocspCacheKey({ certificate: leaf.cert, issuer: ca.certificate })).toBe(keys[0])
  })
})
