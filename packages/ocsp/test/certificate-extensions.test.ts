import { contextTag, element, integer, oid, sequence } from '@x/der'
import { describe, expect, it } from 'vitest'
import { ocspUrls, requiresStaple } from '../src/index.ts'
import { ca, codeOf, leaf, LEAF_URL, root } from './pki.ts'

const access = (...uris: string[]): Uint8Array =>
  sequence(...uris.map((uri) => sequence(oid('1.3.6.1.5.5.7.48.1'), element(contextTag(6), Buffer.from(uri)))))
const withAccess = (raw: Uint8Array): Uint8Array => ca.issue({ extensions: [{ oid: '1.3.6.1.5.5.7.1.1', raw }] }).raw
const withFeature = (raw: Uint8Array): Uint8Array => ca.issue({ extensions: [{ oid: '1.3.6.1.5.5.7.1.24', raw }] }).raw

describe('ocspUrls', () => {
  it('of a certificate', () => {
    expect(ocspUrls(leaf)).toEqual([LEAF_URL])
    expect(ocspUrls(root)).toEqual([])
  })

  it.each([
    ['in order, each once', access('http://a/', 'https://b/', 'http://a/'), ['http://a/', 'https://b/']],
    [
      'no other schemes',
      access('ldap://a/', 'file:///etc/passwd', 'javascript:x', 'ftp://a/', 'http://a/'),
      ['http://a/'],
    ],
    ['no credentials', access('http://user@a/', 'http://:pw@a/'), []],
    ['no nonsense', access('', 'http://', 'a/b', `http://a/${'x'.repeat(3000)}`), []],
    [
      'four at most',
      access('http://1/', 'http://2/', 'http://3/', 'http://4/', 'http://5/'),
      ['http://1/', 'http://2/', 'http://3/', 'http://4/'],
    ],
    [
      'no caIssuers',
      sequence(sequence(oid('1.3.6.1.5.5.7.48.2'), element(contextTag(6), Buffer.from('http://a/')))),
      [],
    ],
    ['none of an extension that cannot be read', Uint8Array.of(0x30, 9), []],
  ])('%s', (_name, value, expected) => {
    expect(ocspUrls(withAccess(value))).toEqual(expected)
  })
})

describe('requiresStaple (RFC 7633)', () => {
  it.each([
    ['status_request', sequence(integer(5)), true],
    ['status_request_v2', sequence(integer(17)), true],
    ['others and status_request', sequence(integer(16), integer(5)), true],
    ['others', sequence(integer(16)), false],
    ['none', sequence(), false],
    ['an extension that cannot be read: closed', Uint8Array.of(0x30, 9), true],
    ['something else than numbers: closed', sequence(oid('1.2.3')), true],
  ])('%s', (_name, value, expected) => {
    expect(requiresStaple(withFeature(value))).toBe(expected)
  })

  it('of a certificate made for it, and of one without', () => {
    expect(requiresStaple(ca.issue({ mustStaple: true }))).toBe(true)
    expect(requiresStaple(leaf)).toBe(false)
    expect(codeOf(() => requiresStaple('nothing'))).toBe('ERR_OCSP_CERTIFICATE_INVALID')
  })
})
