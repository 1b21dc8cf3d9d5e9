import { bitString, boolean, element, integer, octetString, oid, sequence, setOf, time } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { createAuthority, createCertificate, generateKeySync, privateKeyToPem } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { Interceptor, type InterceptErrorCode, type InterceptorOptions } from '../src/index.ts'
import { DAY, hex, NOW, origin, proxyCa } from './samples.ts'

const interceptor = new Interceptor({ ...proxyCa, now: () => NOW })

function refused(code: InterceptErrorCode): Error {
  return expect.objectContaining({ name: 'InterceptError', code }) as Error
}

describe('an interceptor is not made', () => {
  const misuse: readonly [
    title: string,
    options: Partial<Record<keyof InterceptorOptions | 'cert', unknown>>,
    option: string,
  ][] = [
    ['with an unknown option', { cert: 'x' }, 'cert'],
    ['without a certificate', { certificate: undefined }, 'certificate'],
    ['with a number as certificate', { certificate: 7 }, 'certificate'],
    ['without a key', { privateKey: undefined }, 'privateKey'],
    ['with a public key', { privateKey: proxyCa.certificate.publicKey }, 'privateKey'],
    ['with a passphrase that is no text', { passphrase: 7 }, 'passphrase'],
    ['with a serial of text', { serial: '7' }, 'serial'],
    ['with a negative serial', { serial: -1 }, 'serial'],
    ['with a negative big serial', { serial: -1n }, 'serial'],
    ['with half a serial', { serial: 1.5 }, 'serial'],
    ['with a cache that is none', { cache: {} }, 'cache'],
    ['with null as cache', { cache: null }, 'cache'],
    ['with a cache of nothing', { cacheSize: 0 }, 'cacheSize'],
    ['with a validity of nothing', { maxValidityDays: 0 }, 'maxValidityDays'],
    ['with a validity of NaN', { maxValidityDays: Number.NaN }, 'maxValidityDays'],
    ['with text as mirrorInvalidity', { mirrorInvalidity: 'no' }, 'mirrorInvalidity'],
    ['with a time as clock', { now: 7 }, 'now'],
  ]
  it.each(misuse)('%s', (_, options, option) => {
    expect(() => new Interceptor({ ...proxyCa, ...options } as InterceptorOptions)).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: expect.stringMatching(/^ERR_INVALID_ARG_(TYPE|VALUE)$/) as string,
        message: expect.stringContaining(`"${option}`) as string,
      }),
    )
  })

  it('without options', () => {
    expect(() => new Interceptor(undefined as never)).toThrow(TypeError)
  })

  it('from a certificate that is no CA’s', () => {
    const { certificate, privateKey } = origin()
    expect(() => new Interceptor({ certificate, privateKey })).toThrow(refused('ERR_INTERCEPT_CA_INVALID'))
    const usage = createCertificate({ ca: true, keyUsage: ['cRLSign'] })
    expect(() => new Interceptor({ certificate: usage.certificate, privateKey: usage.privateKey })).toThrow(
      refused('ERR_INTERCEPT_CA_INVALID'),
    )
    const leaf = createCertificate({ keyUsage: ['keyCertSign'] })
    expect(() => new Interceptor({ certificate: leaf.certificate, privateKey: leaf.privateKey })).toThrow(
      refused('ERR_INTERCEPT_CA_INVALID'),
    )
    const bare = createCertificate({ omit: ['basicConstraints'], keyUsage: ['keyCertSign'] })
    expect(() => new Interceptor({ certificate: bare.certificate, privateKey: bare.privateKey })).toThrow(
      refused('ERR_INTERCEPT_CA_INVALID'),
    )
  })

  it('with another’s key', () => {
    expect(() => new Interceptor({ ...proxyCa, privateKey: generateKeySync('ec') })).toThrow(
      refused('ERR_INTERCEPT_KEY_MISMATCH'),
    )
  })

  it.each([
    ['text', 'nothing here'],
    ['bytes', hex('30030201')],
    ['an empty list', []],
  ])('from %s in place of a certificate', (_, certificate) => {
    expect(() => new Interceptor({ ...proxyCa, certificate })).toThrow(refused('ERR_INTERCEPT_CA_INVALID'))
  })

  it('with an encrypted key and a wrong passphrase or none', () => {
    const privateKey = privateKeyToPem(proxyCa.privateKey, { passphrase: 'right' })
    expect(() => new Interceptor({ ...proxyCa, privateKey })).toThrow(refused('ERR_INTERCEPT_CA_INVALID'))
    expect(() => new Interceptor({ ...proxyCa, privateKey, passphrase: 'wrong' })).toThrow(
      refused('ERR_INTERCEPT_CA_INVALID'),
    )
    const { certificate } = origin()
    const made = new Interceptor({ ...proxyCa, privateKey, passphrase: 'right' })
    expect(made.clone(certificate).certificate.checkIssued(proxyCa.certificate)).toBe(true)
  })

  it('but without a key identifier, or with an expired certificate, it is', () => {
    const old = createCertificate({
      subject: { commonName: 'Old CA' },
      ca: true,
      omit: ['subjectKeyIdentifier'],
      notBefore: NOW - 20 * DAY,
      notAfter: NOW - 10 * DAY,
    })
    const made = new Interceptor({ certificate: old.certificate, privateKey: old.privateKey })
    expect(made.clone(origin().certificate).certificate.checkIssued(old.certificate)).toBe(true)
  })
})

describe('clone refuses', () => {
  it.each([
    ['text', 'nothing here'],
    ['PEM with junk', '-----BEGIN CERTIFICATE-----\n@@@\n-----END CERTIFICATE-----\n'],
    ['no bytes', hex('')],
    ['bytes that lie about their length', hex('3084ffffffff00')],
    ['an indefinite length', hex('30800000')],
    ['bytes behind a certificate', Uint8Array.of(...origin().raw, 0)],
    ['10 MB of zeros', new Uint8Array(10_000_000)],
    ['10 MB of nesting', new Uint8Array(10_000_000).fill(0x30)],
    ['a sequence of nothing', hex('3000')],
  ])('%s', (_, certificate) => {
    expect(() => interceptor.clone(certificate)).toThrow(refused('ERR_INTERCEPT_CERTIFICATE_INVALID'))
  })

  it.each([7, undefined, null, {}, { raw: 'x' }])('%s, as misuse', (certificate) => {
    expect(() => interceptor.clone(certificate as never)).toThrow(TypeError)
  })

  it('every certificate that is cut off', () => {
    const { raw } = origin()
    for (let length = 0; length < raw.length; length += 3)
      expect(() => interceptor.clone(raw.subarray(0, length))).toThrow(refused('ERR_INTERCEPT_CERTIFICATE_INVALID'))
  })

  it.each<[title: string, type: string, value: string]>([
    ['alternative names that are none', '2.5.29.17', '3003 020101'],
    ['alternative names with bytes behind', '2.5.29.17', '3000 00'],
    ['a key usage that is no bit string', '2.5.29.15', '0500'],
    ['a key usage of too many bits', '2.5.29.15', '03050001010101'],
    ['an empty list of purposes', '2.5.29.37', '3000'],
    ['purposes that are no identifiers', '2.5.29.37', '3003020101'],
    ['Netscape types that are no bits', '2.16.840.1.113730.1.1', '0400'],
  ])('%s', (_, type, value) => {
    const broken = certificateWith(sequence(oid(type), octetString(hex(value))))
    expect(() => interceptor.clone({ raw: broken })).toThrow(refused('ERR_INTERCEPT_CERTIFICATE_INVALID'))
  })

  it.each<[title: string, value: string]>([
    ['UTF-8 that is none', '0c01ff'],
    ['a BMPString of half a character', '1e0100'],
    ['an IA5String beyond ASCII', '1601e4'],
    ['no string at all', '020101'],
    ['a bit string that is none', '0300'],
  ])('a subject with %s', (_, value) => {
    const subject = sequence(setOf(sequence(oid('2.5.4.3'), hex(value))))
    expect(() => interceptor.clone({ raw: withSubject(subject) })).toThrow(refused('ERR_INTERCEPT_CERTIFICATE_INVALID'))
  })

  it('options that it does not know', () => {
    const { certificate } = origin()
    expect(() => interceptor.clone(certificate, { trusted: false } as never)).toThrow(TypeError)
    expect(() => interceptor.clone(certificate, null as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
    expect(() => interceptor.clone(certificate, { ident: 7 } as never)).toThrow(TypeError)
    expect(() => interceptor.clone(certificate, { untrusted: 'yes' } as never)).toThrow(TypeError)
    expect(() => interceptor.sniCallback(undefined as never)).toThrow(TypeError)
  })
})

describe('clone copes with', () => {
  it('10,000 alternative names', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => ['DNS', `host-${i}.example.org`] as const)
    const { raw } = origin({ subjectAltNames: names })
    const clone = interceptor.clone({ raw })
    const [before, after] = [raw, clone.raw].map((der) => new CertificateView(der).extension('2.5.29.17')?.value)
    expect(Buffer.compare(before as Uint8Array, after as Uint8Array)).toBe(0)
    expect(clone.certificate.checkHost('host-9999.example.org')).toBe('host-9999.example.org')
  })

  it('broken extensions of the origin’s CA, which it leaves out', () => {
    for (const type of ['2.5.29.14', '2.5.29.19', '2.5.29.30', '2.5.29.31', '2.5.29.35', '1.3.6.1.5.5.7.1.1']) {
      const { raw } = interceptor.clone({ raw: certificateWith(sequence(oid(type), octetString(hex('ff')))) })
      expect(new CertificateView(raw).version).toBe(3)
    }
  })

  it('the same extension twice: the first counts', () => {
    const name = (text: string): Uint8Array =>
      sequence(oid('2.5.29.17'), octetString(sequence(element(0x82, Buffer.from(text)))))
    const clone = interceptor.clone({ raw: certificateWith(name('first.example'), name('second.example')) })
    expect(clone.certificate.subjectAltName).toBe('DNS:first.example')
  })

  it('a key and a signature of unknown algorithms', () => {
    const unknown = sequence(oid('1.2.3.4.5'))
    const spki = sequence(unknown, bitString(hex('00')))
    const clone = interceptor.clone({
      raw: certificateWith(sequence(oid('1.2.3'), boolean(false), octetString(hex(''))), spki),
    })
    expect(clone.privateKey.asymmetricKeyType).toBe('ec')
    expect(clone.certificate.checkIssued(proxyCa.certificate)).toBe(true)
  })

  it('a subject that is the CA’s own', () => {
    const twin = createAuthority({ subject: { commonName: 'Origin' } }).issue({
      subject: { commonName: 'Proxy CA' },
      names: ['a.example'],
    })
    const { certificate } = interceptor.clone(twin.certificate)
    expect(certificate.verify(proxyCa.certificate.publicKey)).toBe(true)
    expect(certificate.ca).toBe(false)
  })

  it('an ident of any text', () => {
    const { certificate } = origin()
    for (const ident of ['', '__proto__', 'constructor', '\0', 'x'.repeat(100_000)])
      expect(interceptor.clone(certificate, ident)).toBe(interceptor.clone(certificate, ident))
  })
})

/** A certificate with these extensions and nothing else, not really signed. A last SubjectPublicKeyInfo replaces the key. */
function certificateWith(...parts: readonly Uint8Array[]): Uint8Array {
  const view = new CertificateView(origin().raw)
  const isKey = (part: Uint8Array): boolean => part[2] === 0x30
  const spki = parts.find(isKey) ?? view.spki
  return assemble(view, view.subject, spki, sequence(...parts.filter((part) => !isKey(part))))
}

function withSubject(subject: Uint8Array): Uint8Array {
  const view = new CertificateView(origin().raw)
  return assemble(view, subject, view.spki, sequence())
}

function assemble(view: CertificateView, subject: Uint8Array, spki: Uint8Array, extensions: Uint8Array): Uint8Array {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'))
  const tbs = sequence(
    element(0xa0, integer(2)),
    integer(7),
    algorithm,
    view.issuer,
    sequence(time(NOW - DAY), time(NOW + DAY)),
    subject,
    spki,
    element(0xa3, extensions),
  )
  return sequence(tbs, algorithm, bitString(new Uint8Array(70)))
}
