import type { KeyObject } from 'node:crypto'
import { element, sequence } from '@x/der'
import { generateKeySync } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { createCrl, verifyCrl } from '../src/index.ts'
import { authority, codeOf, DAY, HOUR, list, NOW, subjectOf } from './authorities.ts'

const ca = authority('Signing CA')
const crl = list(ca, { number: 1 })

describe('verifyCrl', () => {
  it('returns the evidence', () => {
    expect(verifyCrl(crl.toPem(), ca.certificate, { now: NOW })).toMatchObject({
      signature: { family: 'ecdsa', digest: 'sha256', weak: false },
      thisUpdate: new Date(NOW - DAY),
      nextUpdate: new Date(NOW + 6 * DAY),
    })
  })

  it.each([
    ['within its time', NOW, undefined, 'accepted'],
    ['the moment it was made', NOW - DAY, undefined, 'accepted'],
    ['five minutes before it was made: within the skew', NOW - DAY - 300_000, undefined, 'accepted'],
    ['more than five minutes before', NOW - DAY - 301_000, undefined, 'ERR_CRL_NOT_YET_VALID'],
    ['no skew allowed', NOW - DAY - 1000, 0, 'ERR_CRL_NOT_YET_VALID'],
    ['a second before its end', NOW + 6 * DAY - 1000, undefined, 'accepted'],
    ['at its end', NOW + 6 * DAY, undefined, 'ERR_CRL_EXPIRED'],
    ['the skew does not prolong it', NOW + 6 * DAY + 1000, 86_400, 'ERR_CRL_EXPIRED'],
  ])('time: %s', (_, now, clockSkew, code) => {
    expect(codeOf(() => verifyCrl(crl, ca.raw, { now, ...(clockSkew === undefined ? {} : { clockSkew }) }))).toBe(code)
  })

  it('refuses a list without nextUpdate', () => {
    expect(codeOf(() => verifyCrl(list(ca, { nextUpdate: null }), ca.raw, { now: NOW }))).toBe('ERR_CRL_NO_NEXT_UPDATE')
  })

  it('refuses signers that did not sign it, or may not', () => {
    const sameName = authority('Signing CA')
    const otherName = authority('Another CA')
    const withoutRight = authority('X').issue({
      ca: true,
      subject: { commonName: 'No' },
      keyUsage: ['keyCertSign'],
      notBefore: NOW - DAY,
    })
    expect(codeOf(() => verifyCrl(crl, otherName.raw, { now: NOW }))).toBe('ERR_CRL_ISSUER_MISMATCH')
    expect(codeOf(() => verifyCrl(crl, sameName.raw, { now: NOW }))).toBe('ERR_CRL_KEY_MISMATCH')
    expect(codeOf(() => verifyCrl(list(withoutRight), withoutRight.raw, { now: NOW }))).toBe(
      'ERR_CRL_SIGNER_UNAUTHORIZED',
    )
    const unidentified = { ...withoutIdentifiers('Bare CA') }
    const impostor = withoutIdentifiers('Bare CA')
    expect(codeOf(() => verifyCrl(list(unidentified), unidentified.raw, { now: NOW }))).toBe('accepted')
    expect(codeOf(() => verifyCrl(list(unidentified), impostor.raw, { now: NOW }))).toBe('ERR_CRL_SIGNATURE_INVALID')
  })

  it('a list that names its issuer by issuer and serial number', () => {
    const serial = Buffer.from(ca.certificate.serialNumber, 'hex')
    const named = (name: Uint8Array, number: Uint8Array) => {
      const raw = sequence(element(0xa1, element(0xa4, name)), element(0x82, number))
      const { raw: certificate, privateKey } = withoutIdentifiers('Signing CA', ca.privateKey)
      const issuer = { certificate, privateKey }
      return createCrl({
        issuer,
        thisUpdate: NOW - DAY,
        nextUpdate: NOW + DAY,
        extensions: [{ oid: '2.5.29.35', raw }],
      })
    }
    const code = (one: ReturnType<typeof named>) => codeOf(() => verifyCrl(one, ca.raw, { now: NOW }))
    expect(code(named(subjectOf(ca), serial))).toBe('accepted')
    expect(code(named(subjectOf(ca), Uint8Array.of(1)))).toBe('ERR_CRL_KEY_MISMATCH')
    expect(code(named(subjectOf(authority('Other')), serial))).toBe('ERR_CRL_KEY_MISMATCH')
    expect(code(named(Uint8Array.of(0x30, 3, 1, 2, 3), serial))).toBe('ERR_CRL_INVALID')
  })

  it('refuses a list in which one bit was turned', () => {
    for (const position of [60, 120, crl.der.length - 3]) {
      const der = crl.der.slice()
      der[position] = (der[position] as number) ^ 1
      expect(codeOf(() => verifyCrl(der, ca.raw, { now: NOW }))).toMatch(/^ERR_CRL_/)
    }
  })

  it('refuses weak digests and unknown critical extensions', () => {
    const key = generateKeySync({ type: 'rsa', bits: 2048 })
    const weak = authority('unused').issue({
      ca: true,
      subject: { commonName: 'RSA CA' },
      privateKey: key,
      purpose: 'CA,cRLSign',
      notBefore: NOW - DAY,
    })
    expect(codeOf(() => verifyCrl(list(weak, { digest: 'sha1' }), weak.raw, { now: NOW }))).toBe('ERR_CRL_DIGEST_WEAK')
    expect(codeOf(() => verifyCrl(list(weak, { digest: 'sha384' }), weak.raw, { now: NOW }))).toBe('accepted')
    const critical = list(ca, { extensions: [{ oid: '1.2.3.4', critical: true, raw: Uint8Array.of(5, 0) }] })
    expect(codeOf(() => verifyCrl(critical, ca.raw, { now: NOW }))).toBe('ERR_CRL_CRITICAL_EXTENSION')
    const harmless = list(ca, { extensions: [{ oid: '1.2.3.4', raw: Uint8Array.of(5, 0) }] })
    expect(codeOf(() => verifyCrl(harmless, ca.raw, { now: NOW }))).toBe('accepted')
  })

  it('refuses algorithms that it does not know', () => {
    const known = Buffer.from('06082a8648ce3d040302', 'hex') // ecdsa-with-SHA256
    const der = Buffer.from(crl.der)
    for (let at = der.indexOf(known); at >= 0; at = der.indexOf(known, at)) der[at + known.length - 1] = 0x7f
    expect(codeOf(() => verifyCrl(der, ca.raw, { now: NOW }))).toBe('ERR_CRL_ALGORITHM_UNSUPPORTED')
  })

  it('refuses scopes that contradict themselves or say nothing', () => {
    const raw = (hex: string) => [{ oid: '2.5.29.28', critical: true, raw: Buffer.from(hex, 'hex') }]
    expect(codeOf(() => verifyCrl(list(ca, { extensions: raw('30068101ff8201ff') }), ca.raw, { now: NOW }))).toBe(
      'ERR_CRL_INVALID',
    )
    expect(codeOf(() => verifyCrl(list(ca, { extensions: raw('3000') }), ca.raw, { now: NOW }))).toBe('ERR_CRL_INVALID')
    expect(codeOf(() => verifyCrl(list(ca, { scope: { only: 'users' } }), ca.raw, { now: NOW }))).toBe('accepted')
    const foreign = list(ca, { revoked: [{ serial: 1, certificateIssuer: authority('Other').raw }] })
    expect(codeOf(() => verifyCrl(foreign, ca.raw, { now: NOW }))).toBe('ERR_CRL_INVALID')
  })

  it('refuses misuse by name', () => {
    expect(() => verifyCrl(crl, ca.raw, { now: Number.NaN })).toThrow(/"now"/)
    expect(() => verifyCrl(crl, ca.raw, { now: new Date('') })).toThrow(/"now"/)
    expect(() => verifyCrl(crl, ca.raw, { clockSkew: -1 })).toThrow(/"clockSkew"/)
    expect(() => verifyCrl(crl, ca.raw, { skew: 1 } as object)).toThrow(/"skew" option is not known/)
    expect(codeOf(() => verifyCrl(crl, Buffer.from('3000', 'hex'), { now: NOW }))).toBe('ERR_CRL_CERTIFICATE_INVALID')
    expect(codeOf(() => verifyCrl(crl, 5 as unknown as string, { now: NOW }))).toBe('ERR_INVALID_ARG_TYPE')
  })

  it('a default clock is the machine’s', () => {
    const { raw, privateKey } = ca
    const fresh = createCrl({ issuer: { certificate: raw, privateKey }, thisUpdate: Date.now() - HOUR })
    expect(codeOf(() => verifyCrl(fresh, ca.raw))).toBe('accepted')
  })
})

function withoutIdentifiers(commonName: string, privateKey?: KeyObject): ReturnType<typeof authority> {
  return authority('Root').issue({
    ca: true,
    subject: { commonName },
    purpose: 'CA,cRLSign',
    ...(privateKey === undefined ? {} : { privateKey }),
    omit: ['subjectKeyIdentifier', 'authorityKeyIdentifier'],
    notBefore: NOW - DAY,
  })
}
