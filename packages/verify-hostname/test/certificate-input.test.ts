import { X509Certificate } from 'node:crypto'
import { sequence } from '@x/der'
import { describe, expect, it } from 'vitest'
import { createCheckServerIdentity, matchHostname, verifyHostname } from '../src/index.ts'
import { altNameExtension, certificate, pem } from './certificate.ts'

const host = 'www.example.org'
const der = certificate([host])
const other = certificate(['other.example.org'])

describe('a certificate', () => {
  it.each([
    ['DER', der],
    ['DER in a Buffer', Buffer.from(der)],
    ['DER inside a larger buffer', Uint8Array.of(1, 2, ...der, 3).subarray(2, 2 + der.length)],
    ['PEM', pem(der)],
    ['PEM as bytes', Buffer.from(pem(der))],
    ['PEM with CRLF and text around it', `subject=x\r\n${pem(der).replaceAll('\n', '\r\n')}trailer`],
    ['PEM of the old label', pem(der, 'X509 CERTIFICATE')],
    ["PEM with OpenSSL's trust settings", pem(Uint8Array.of(...der, 0x30, 0), 'TRUSTED CERTIFICATE')],
    ['the first of a bundle', pem(der) + pem(other)],
    ['behind a key', `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${pem(der)}${pem(other)}`],
    ['X509Certificate', new X509Certificate(der)],
    ["node:tls's peer certificate", { raw: Buffer.from(der), subject: { CN: 'x' } }],
  ])('as %s', (_, input) => {
    expect(verifyHostname(input, host)).toMatchObject({ entry: host })
    expect(matchHostname(input, 'other.example.org')).toBeUndefined()
  })

  it.each([
    ['a legacy object without raw', { subject: { CN: host }, subjectaltname: `DNS:${host}` }],
    ['raw that is text', { raw: pem(der) }],
    ['an empty object', {}],
    ['null', null],
    ['undefined', undefined],
    ['a number', 5],
    ['an array', [der]],
  ])('%s is a TypeError', (_, input) => {
    expect(() => matchHostname(input as unknown as string, host)).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
        message: expect.stringContaining('certificate') as string,
      }),
    )
  })

  it.each([
    ['empty text', ''],
    ['other text', 'hello'],
    ['no bytes', new Uint8Array()],
    ['PEM without an end', '-----BEGIN CERTIFICATE-----\nMIIB'],
    ['PEM that is not base64', '-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n'],
    ['PEM that is not DER', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['PEM with 10 MB of blanks', `-----BEGIN CERTIFICATE-----${' '.repeat(10_000_000)}!-----END CERTIFICATE-----`],
    ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
    ['trusted PEM that is cut off', pem(Uint8Array.of(0x30, 0x82), 'TRUSTED CERTIFICATE')],
    ['DER that is cut off', der.subarray(0, der.length - 1)],
    ['DER with more behind it', Uint8Array.of(...der, 0)],
    ['another structure', Uint8Array.of(0x30, 0)],
    [
      'a unique identifier that reaches out of its certificate',
      certificate(undefined, host, [], [Uint8Array.of(0x81, 5)]),
    ],
    ['another one', certificate(undefined, host, [], [Uint8Array.of(0x81, 0), Uint8Array.of(0x82, 5)])],
    ['something behind the unique identifiers', certificate(undefined, host, [], [Uint8Array.of(0x84, 0)])],
    ['something behind the extensions', certificate([host], host, [], [Uint8Array.of(0x84, 0)])],
    ['extensions that reach out of it', certificate(undefined, host, [], [Uint8Array.of(0xa3, 4, 0x30, 2)])],
    [
      'an extension that reaches out of the extensions',
      certificate(undefined, host, [], [Uint8Array.of(0xa3, 4, 0x30, 2, 0x30, 5)]),
    ],
    ['deep nesting', Buffer.concat(Array.from({ length: 70 }, (_, i) => Uint8Array.of(0x30, 0x7f - i)))],
    ['10 MB of zeros', new Uint8Array(10_000_000)],
    ['10 MB of text', '-----BEGIN '.repeat(900_000)],
  ])('%s is refused with a code', (_, input) => {
    expect(matchHostname(input, host)).toBeUndefined()
    expect(() => verifyHostname(input, host)).toThrow(
      expect.objectContaining({ name: 'HostnameVerificationError', code: 'ERR_HOSTNAME_INVALID_CERTIFICATE', host }),
    )
    expect(createCheckServerIdentity()(host, input)).toMatchObject({ code: 'ERR_HOSTNAME_INVALID_CERTIFICATE' })
  })
})

describe('names in great number and length', () => {
  it('10,000 of them, the last of which matches', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `*.host${i}.example.org`)
    const big = certificate(many)
    expect(verifyHostname(big, 'a.host9999.example.org')).toMatchObject({ entry: '*.host9999.example.org' })
    expect(matchHostname(big, 'a.host10000.example.org')).toBeUndefined()
  })

  it('10,000 of them, none of which does: a message of bounded length, and every reason', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `${'*'.repeat(i % 3)}host${i}.example.org`)
    const error = createCheckServerIdentity()(host, certificate(many)) as Error & { reasons: unknown[] }
    expect(error.message.length).toBeLessThan(1000)
    expect(error.message).toContain('and 9995 more')
    expect(error.reasons).toHaveLength(10_000)
  })

  it('one of 64 KB, presented and asked for', () => {
    const long = `${'a.'.repeat(32_000)}example.org`
    expect(matchHostname(certificate([long, `*${long}`], long), host)).toBeUndefined()
    expect(matchHostname(certificate([long]), long)).toBeDefined()
    expect(matchHostname(certificate([`*.${long}`]), `b.${long}`)).toBeDefined()
    expect(() => verifyHostname(certificate([`${long}\0`], long), host)).toThrow(
      expect.objectContaining({ code: 'ERR_HOSTNAME_MISMATCH' }),
    )
    expect(matchHostname(certificate([host]), 'ö.'.repeat(32_000))).toBeUndefined()
  })
})

describe('PEM is read as OpenSSL reads it, which may have judged the same text', () => {
  const block = pem(der)
  it.each([
    ['in the middle of a line', `x ${block}${pem(other)}`],
    ['behind a lone carriage return', `x\r${block}${pem(other)}`],
    ['with its content in the BEGIN line', block.replace('-----\n', '-----') + pem(other)],
  ])('a block %s is none, and what stands behind it is not taken instead', (_, text) => {
    expect(new X509Certificate(text).raw).toEqual(Buffer.from(other))
    for (const name of [host, 'other.example.org']) expect(matchHostname(text, name)).toBeUndefined()
  })

  it('but OpenSSL reads lines of 254 characters', () => {
    const text = 'x'.repeat(254) + pem(other) + block
    expect(new X509Certificate(text).raw).toEqual(Buffer.from(other))
    for (const name of [host, 'other.example.org']) expect(matchHostname(text, name)).toBeUndefined()
  })
})

it('a subjectAltName whose OID is not DER is not passed over', () => {
  const names = altNameExtension(['other.example.org'])
  // 06 03 → 06 81 03: the same to who reads BER
  const ber = sequence(Uint8Array.of(0x06, 0x81, 0x03, ...names.subarray(4)))
  const input = certificate(undefined, host, [ber])
  expect(new X509Certificate(input).subjectAltName).toBe('DNS:other.example.org')
  expect(matchHostname(input, host, { scheme: 'http' })).toBeUndefined()
})
