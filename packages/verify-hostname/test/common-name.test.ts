import { contextTag, element, oid, octetString, sequence, Tag } from '@x/der'
import { describe, expect, it } from 'vitest'
import { matchHostname, verifyHostname } from '../src/index.ts'
import { altNameExtension, certificate, extension } from './certificate.ts'

const host = 'www.example.org'

function ucs2(text: string): Uint8Array {
  return element(Tag.BMP_STRING, Buffer.from(text, 'utf16le').swap16())
}

describe('the common name', () => {
  it.each([
    [undefined, 'always', true],
    [undefined, 'when-no-dns-name', true],
    [undefined, 'never', false],
    [['other.example.org'], 'always', true],
    [['other.example.org'], 'when-no-dns-name', false],
    [[''], 'when-no-dns-name', false],
    [['email:a@example.org', 'uri:https://www.example.org/', 'ip:10.1.2.3'], 'when-no-dns-name', true],
    [[], 'when-no-dns-name', true],
  ] as const)('beside %j, used %s: %j', (altNames, commonName, verdict) => {
    expect(matchHostname(certificate(altNames, host), host, { scheme: { commonName } }) !== undefined).toBe(verdict)
  })

  it('is the first of several, in one RDN or in many', () => {
    expect(matchHostname(certificate(undefined, [host, 'b.example.org']), host)).toBeDefined()
    expect(matchHostname(certificate(undefined, ['b.example.org', host]), host)).toBeUndefined()
  })

  it.each([
    ['PrintableString', element(Tag.PRINTABLE_STRING, Buffer.from(host)), true],
    ['IA5String', element(Tag.IA5_STRING, Buffer.from(host)), true],
    ['TeletexString', element(Tag.TELETEX_STRING, Buffer.from(host)), true],
    ['BMPString', ucs2(host), false],
    ['malformed UTF8String', element(Tag.UTF8_STRING, Buffer.from(`${host}\xff`, 'latin1')), false],
    ['no string', element(Tag.OCTET_STRING, Buffer.from('x')), false],
  ])('as %s', (_, value, verdict) => {
    expect(matchHostname(certificate(undefined, value), host) !== undefined).toBe(verdict)
  })

  it('that is missing or empty matches nothing', () => {
    expect(matchHostname(certificate(undefined), host)).toBeUndefined()
    expect(matchHostname(certificate(undefined, ''), host)).toBeUndefined()
    expect(matchHostname(certificate(undefined, ''), '')).toBeUndefined()
  })
})

describe('the subjectAltName', () => {
  it('counts where it comes first; a second one does not', () => {
    const second = certificate(['a.example.org'], undefined, [altNameExtension(['b.example.org'])])
    expect(matchHostname(second, 'a.example.org')).toBeDefined()
    expect(matchHostname(second, 'b.example.org')).toBeUndefined()
  })

  it('may be critical and stand behind others', () => {
    const critical = sequence(
      oid('2.5.29.17'),
      element(Tag.BOOLEAN, Uint8Array.of(0xff)),
      octetString(sequence(element(contextTag(2), Buffer.from(host)))),
    )
    expect(
      matchHostname(certificate(undefined, undefined, [extension('2.5.29.19', sequence()), critical]), host),
    ).toBeDefined()
  })

  it.each([
    ['that is no SEQUENCE', element(Tag.SET)],
    ['with trailing bytes', Uint8Array.of(...sequence(), 0)],
    ['that is cut off', sequence(element(contextTag(2), Buffer.from(host))).subarray(0, 9)],
    [
      'with an unknown kind of name behind a good one',
      sequence(element(contextTag(2), Buffer.from(host)), element(contextTag(9), Buffer.from('x'))),
    ],
    [
      'with a constructed dNSName',
      sequence(element(contextTag(2), Buffer.from(host)), element(contextTag(2, true), Buffer.from('x'))),
    ],
    ['of indefinite length', Uint8Array.of(0x30, 0x80, 0, 0)],
    ['that is empty', new Uint8Array()],
  ])('%s refuses, common name or not', (_, value) => {
    const der = certificate(undefined, host, [extension('2.5.29.17', value)])
    expect(matchHostname(der, host)).toBeUndefined()
    expect(() => verifyHostname(der, host)).toThrow(
      expect.objectContaining({
        code: 'ERR_HOSTNAME_INVALID_CERTIFICATE',
        cause: expect.objectContaining({ name: 'DerError' }) as Error,
      }),
    )
  })
})
