import { contextTag, element } from '@x/der'
import { describe, expect, it } from 'vitest'
import { matchHostname, verifyHostname } from '../src/index.ts'
import { certificate } from './certificate.ts'

const everyScheme = {
  scheme: {
    sanWildcard: 'within-label',
    commonNameWildcard: 'within-label',
    commonName: 'always',
    ipInCommonName: 'any',
  },
} as const

describe('an IP host', () => {
  it.each([
    ['ip:10.1.2.3', '10.1.2.3'],
    ['ip:10.1.2.3', '10.1.2.3.'],
    ['ip:0.0.0.0', '0.0.0.0'],
    ['ip:255.255.255.255', '255.255.255.255'],
    ['ip:::1', '::1'],
    ['ip:::1', '0:0:0:0:0:0:0:1'],
    ['ip:::1', '::0001'],
    ['ip:::', '::'],
    ['ip:2001:db8::', '2001:DB8::'],
    ['ip:2001:db8::1', '2001:db8::0.0.0.1'],
    ['ip:::ffff:127.0.0.1', '::ffff:7f00:1'],
    ['ip:1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['ip:1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7::'],
  ])('%s matches %s', (entry, host) => {
    expect(verifyHostname(certificate([entry]), host)).toMatchObject({ type: 'ip', wildcard: false })
  })

  it.each([
    '10.1.2.03',
    '010.1.2.3',
    '10.1.2.3\n',
    '10.1.2.3 ',
    ' 10.1.2.3',
    '10.1.2.3\0',
    '１０.1.2.3',
    '10。1.2.3',
    '10.1.2',
    '10.1.515',
    '167838211',
    '10.1.2.3.4',
    '10.1.2.256',
    '10.1.2.1003',
    '10..2.3',
    '.10.1.2.3',
    '+10.1.2.3',
    '10.1.2.3/32',
    '10.1.2.3:443',
    '[10.1.2.3]',
    '::ffff:10.1.2.3',
    '::10.1.2.3',
  ])('%j is not 10.1.2.3, wherever the certificate has it', (host) => {
    const names = ['ip:10.1.2.3', '10.1.2.3', '*.1.2.3', '*.2.3']
    expect(matchHostname(certificate(names, '10.1.2.3'), host, everyScheme)).toBeUndefined()
  })

  it.each(['0x0a.1.2.3', '١٠.1.2.3'])('%j is a DNS name at most', (host) => {
    expect(matchHostname(certificate(['ip:10.1.2.3', '10.1.2.3'], '10.1.2.3'), host, everyScheme)).toBeUndefined()
  })

  it.each([
    '[::1]',
    '::1%lo',
    '::1%1',
    '::1/128',
    ':::1',
    '::1::',
    '::00001',
    '1::2:3:4:5:6:7:8:9',
    '0:0:0:0:0:0:0:0:1',
    '::0.0.0.01',
    '::0.0.1',
    '0.0.0.0::1',
    '::1\n',
    '::١',
    '：：1',
    ':1',
    ':',
    '0:0:0:0:0:0:0.0.0.1:0',
    '::1:443',
  ])('%j is not ::1', (host) => {
    expect(matchHostname(certificate(['ip:::1', '::1'], '::1'), host, everyScheme)).toBeUndefined()
  })

  it('never matches a dNSName, a wildcard, or text of another length', () => {
    for (const entry of ['10.1.2.3', '*.1.2.3', '1*.1.2.3', '\x0a\x01\x02\x03']) {
      expect(matchHostname(certificate([entry]), '10.1.2.3', everyScheme)).toBeUndefined()
      expect(
        matchHostname(certificate(undefined, entry === '10.1.2.3' ? 'x' : entry), '10.1.2.3', everyScheme),
      ).toBeUndefined()
    }
    for (const octets of [[10, 1, 2], [10, 1, 2, 3, 255, 255, 255, 255], [], [...Buffer.from('10.1.2.3')]])
      expect(matchHostname(certificate([element(contextTag(7), Uint8Array.from(octets))]), '10.1.2.3')).toBeUndefined()
  })

  it('an IPv4 address is not its IPv4-mapped IPv6 address', () => {
    expect(matchHostname(certificate(['ip:::ffff:10.1.2.3']), '10.1.2.3')).toBeUndefined()
    expect(matchHostname(certificate(['ip:10.1.2.3']), '::ffff:10.1.2.3')).toBeUndefined()
    expect(matchHostname(certificate(['ip:a01:203::']), '10.1.2.3')).toBeUndefined()
    expect(matchHostname(certificate(['ip:10.1.2.3']), 'a01:203::')).toBeUndefined()
  })

  it('a host name never matches an iPAddress', () => {
    expect(
      matchHostname(certificate([element(contextTag(7), Buffer.from('a.bc'))]), 'a.bc', everyScheme),
    ).toBeUndefined()
  })
})

describe('an IP address in the common name', () => {
  it('is compared as text', () => {
    expect(verifyHostname(certificate(undefined, '10.1.2.3'), '10.1.2.3')).toMatchObject({ type: 'common-name' })
    expect(matchHostname(certificate(undefined, '10.1.2.3.'), '10.1.2.3')).toBeUndefined()
    expect(matchHostname(certificate(undefined, '2001:db8::1'), '2001:db8::01')).toBeUndefined()
    expect(matchHostname(certificate(undefined, '::A'), '::a')).toBeUndefined()
  })

  it.each([
    [undefined, true],
    [['email:a@example.org'], true],
    [['uri:https://10.1.2.3/'], true],
    [['other.example.org'], false],
    [['ip:10.9.9.9'], false],
  ])('beside the alternative names %j under when-no-dns-name: %j', (altNames, verdict) => {
    expect(matchHostname(certificate(altNames, '10.1.2.3'), '10.1.2.3', { scheme: 'http' }) !== undefined).toBe(verdict)
  })
})
