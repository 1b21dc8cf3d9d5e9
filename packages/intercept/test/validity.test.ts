import { CertificateView } from '@x/der/x509'
import { createCertificate, generateKeySync } from '@x/utils'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Interceptor } from '../src/index.ts'
import { cloneValidity } from '../src/validity.ts'
import { DAY, NOW, origin, proxyCa } from './samples.ts'

const valid = { notBefore: NOW - 100 * DAY, notAfter: NOW + 300 * DAY }
const expired = { notBefore: NOW - 300 * DAY, notAfter: NOW - 10 * DAY }
const future = { notBefore: NOW + 10 * DAY, notAfter: NOW + 300 * DAY }

function validityOf(raw: Uint8Array): { notBefore: number; notAfter: number } {
  const { notBefore, notAfter } = new CertificateView(raw)
  return { notBefore, notAfter }
}

describe('the validity of a clone', () => {
  it.each([
    ['valid', valid],
    ['expired', expired],
    ['not yet valid', future],
    ['the wrong way round', { notBefore: NOW + DAY, notAfter: NOW - DAY }],
    ['before 1970', { notBefore: Date.UTC(1951, 0), notAfter: Date.UTC(1960, 0) }],
    ['after 2050', { notBefore: Date.UTC(2050, 0), notAfter: Date.UTC(9999, 11, 31, 23, 59, 59) }],
  ])('is the origin’s: %s', (_, validity) => {
    const { raw } = new Interceptor({ ...proxyCa, now: () => NOW }).clone(origin(validity).certificate)
    expect(validityOf(raw)).toEqual(validity)
  })

  const times = fc.integer({ min: -1000, max: 1000 }).map((days) => NOW + days * DAY)
  const policies = fc.record({
    now: fc.constant(NOW),
    maxValidityDays: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
    mirrorInvalidity: fc.boolean(),
  })

  it('is never longer than asked, nor beyond the origin’s, and never turns invalid into valid unless told (property)', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 1000 }), policies, (notBefore, days, policy) => {
        const origin = { notBefore, notAfter: notBefore + days * DAY - 1000 }
        const clone = cloneValidity(origin, policy)
        const isValid = ({ notBefore, notAfter }: typeof origin): boolean => notBefore <= NOW && NOW <= notAfter
        if (policy.maxValidityDays !== undefined)
          expect(clone.notAfter - clone.notBefore + 1000).toBeLessThanOrEqual(policy.maxValidityDays * DAY)
        expect(clone.notAfter).toBeGreaterThanOrEqual(clone.notBefore)
        if (policy.mirrorInvalidity || isValid(origin)) {
          expect(clone.notBefore).toBeGreaterThanOrEqual(origin.notBefore)
          expect(clone.notAfter).toBeLessThanOrEqual(origin.notAfter)
        }
        expect(isValid(clone)).toBe(policy.mirrorInvalidity ? isValid(origin) : true)
      }),
    )
  })

  it('is cut to whole days with the back-dating inside them', () => {
    const cut = new Interceptor({ ...proxyCa, maxValidityDays: 199, now: () => NOW })
    const { notBefore, notAfter } = validityOf(cut.clone(origin(valid).certificate).raw)
    expect(notBefore).toBe(NOW - DAY)
    expect(notAfter - notBefore).toBe(199 * DAY - 1000)
    expect(validityOf(cut.clone(origin({ notBefore: NOW - DAY, notAfter: NOW + DAY }).certificate).raw)).toEqual({
      notBefore: NOW - DAY,
      notAfter: NOW + DAY,
    })
  })

  it('is renewed before a cut clone ends', () => {
    let now = NOW
    const cut = new Interceptor({ ...proxyCa, maxValidityDays: 10, now: () => now })
    const { certificate } = origin(valid)
    const first = cut.clone(certificate)
    now += 5 * DAY
    expect(cut.clone(certificate)).toBe(first)
    now += 4 * DAY
    const second = cut.clone(certificate)
    expect(second).not.toBe(first)
    expect(validityOf(second.raw).notAfter).toBeGreaterThan(now + 8 * DAY)
    expect(second.certificate.serialNumber).not.toBe(first.certificate.serialNumber)
  })

  it('refuses a clock that tells no time', () => {
    for (const now of [Number.NaN, Number.POSITIVE_INFINITY, undefined])
      expect(() => new Interceptor({ ...proxyCa, now: () => now as number }).clone(origin().certificate)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
  })
})

describe('mirrorInvalidity', () => {
  const hiding = new Interceptor({ ...proxyCa, mirrorInvalidity: false, now: () => NOW })
  const mirroring = new Interceptor({ ...proxyCa, now: () => NOW })

  it.each([
    ['expired', expired],
    ['not yet valid', future],
  ])('decides whether what is %s stays so', (_, validity) => {
    const { certificate } = origin(validity)
    expect(validityOf(mirroring.clone(certificate).raw)).toEqual(validity)
    const { notBefore, notAfter } = validityOf(hiding.clone(certificate).raw)
    expect(notBefore).toBeLessThan(NOW)
    expect(notAfter).toBeGreaterThan(NOW)
  })

  it.each(['ec', 'rsa'] as const)('keeps a self-signed origin self-signed (%s)', (type) => {
    const selfSigned = createCertificate({ subjectAltNames: [['DNS', 'a.example']], privateKey: generateKeySync(type) })
    const { certificate, privateKey } = mirroring.clone(selfSigned.certificate)
    expect(certificate.issuer).toBe(certificate.subject)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.verify(proxyCa.certificate.publicKey)).toBe(false)
    expect(certificate.checkPrivateKey(privateKey)).toBe(true)
    expect(certificate.ca).toBe(false)
    const hidden = hiding.clone(selfSigned.certificate)
    expect(hidden.certificate.verify(proxyCa.certificate.publicKey)).toBe(true)
  })

  it('keeps a critical extension that nobody knows, so that clients go on refusing it', () => {
    const odd = origin({
      extensions: [
        { oid: '1.2.3.4', critical: true, raw: new Uint8Array([5, 0]) },
        { oid: '1.2.3.5', raw: new Uint8Array([5, 0]) },
      ],
    })
    const mirrored = new CertificateView(mirroring.clone(odd.certificate).raw)
    expect(mirrored.extension('1.2.3.4')).toMatchObject({ critical: true })
    expect(mirrored.extension('1.2.3.5')).toBeUndefined()
    expect(new CertificateView(hiding.clone(odd.certificate).raw).extension('1.2.3.4')).toBeUndefined()
  })

  it('changes nothing about what is valid', () => {
    const { certificate } = origin()
    expect(validityOf(hiding.clone(certificate).raw)).toEqual(validityOf(mirroring.clone(certificate).raw))
  })
})

describe('untrusted', () => {
  it('signs in the name of the origin’s issuer, with a key that nobody knows', () => {
    const interceptor = new Interceptor({ ...proxyCa, now: () => NOW })
    const { certificate } = origin()
    const good = interceptor.clone(certificate)
    const bad = interceptor.clone(certificate, { untrusted: true })
    expect(bad.certificate.issuer).toBe(certificate.issuer)
    expect(bad.certificate.verify(proxyCa.certificate.publicKey)).toBe(false)
    expect(bad.certificate.verify(certificate.publicKey)).toBe(false)
    expect(bad.certificate.subjectAltName).toBe(certificate.subjectAltName)
    expect(interceptor.clone(certificate)).toBe(good)
    expect(interceptor.clone(certificate, { untrusted: true })).toBe(bad)
    expect(interceptor.clone(certificate, { ident: 'x' })).not.toBe(bad)
    const again = interceptor.clone(certificate, { ident: 'x', untrusted: true })
    expect(again.certificate.issuer).toBe(certificate.issuer)
  })
})
