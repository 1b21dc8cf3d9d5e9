import { describe, expect, it } from 'vitest'
import { HostnameVerificationError, matchHostname, verifyHostname } from '../src/index.ts'
import { certificate } from './certificate.ts'

const everyScheme = {
  scheme: {
    sanWildcard: 'within-label',
    commonNameWildcard: 'within-label',
    commonName: 'always',
    ipInCommonName: 'any',
  },
  publicSuffix: 'none',
} as const

describe('a host name', () => {
  it.each([
    ['', 'it is empty'],
    ['.', 'it is empty'],
    ['a..example.org', 'empty label'],
    ['.example.org', 'empty label'],
    ['www.example.org\n', 'a character that no host name has'],
    ['www.example.org\0', 'a character that no host name has'],
    ['www.example.org\0.evil.example', 'a character that no host name has'],
    ['www.example.org\t', 'a character that no host name has'],
    [' www.example.org', 'a character that no host name has'],
    ['www.example.org ', 'a character that no host name has'],
    ['www.example.org/', 'a character that no host name has'],
    ['user@www.example.org', 'a character that no host name has'],
    ['*.example.org', 'a character that no host name has'],
    ['www.example.org:443', 'a port is not part of a name'],
    ['[::1]', 'without brackets'],
    ['fe80::1%eth0', 'zone identifier'],
    ['127.0.0.01', 'not an IPv4 address in its usual form'],
    ['www。example.org', 'label 1 cannot be converted'],
    ['www．example.org', 'label 1 cannot be converted'],
    ['www｡example.org', 'label 1 cannot be converted'],
    ['ｗｗｗ.example.org', 'label 1 cannot be converted'],
    ['www.ｅxample.org', 'label 2 cannot be converted'],
    ['\u212aelvin.example.org', 'label 1 cannot be converted'],
    ['１２７.0.0.1', 'label 1 cannot be converted'],
    ['lo\u0308we.example.org', 'label 1 cannot be converted'],
    ['löwe%2e.example.org', 'label 1 cannot be converted'],
    ['lö we.example.org', 'label 1 cannot be converted'],
    ['löwe\n.example.org', 'label 1 cannot be converted'],
    ['löwe/.example.org', 'label 1 cannot be converted'],
    ['löwe..example.org', 'label 2 cannot be converted'],
    [`${'ö'.repeat(60)}.example.org`, 'label 1 cannot be converted'],
    [`${'a'.repeat(100)}ö.example.org`, 'label 1 cannot be converted'],
    [`${'ö.'.repeat(200)}example.org`, 'it is longer than any name'],
    [`${'a'.repeat(1_000_000)}ö.example.org`, 'it is longer than any name'],
    ['\ud800.example.org', 'label 1 cannot be converted'],
    ['a\u200db.example.org', 'label 1 cannot be converted'],
    ['\u202egro.elpmaxe.org', 'label 1 cannot be converted'],
  ])('%j is refused', (host, why) => {
    const der = certificate(
      [host, 'www.example.org', '*.example.org', 'ip:127.0.0.1'],
      host === '' ? 'x' : Buffer.from(host).toString(),
    )
    expect(matchHostname(der, host, everyScheme)).toBeUndefined()
    expect(() => verifyHostname(der, host, everyScheme)).toThrow(
      expect.objectContaining({
        code: 'ERR_HOSTNAME_INVALID_HOST',
        host,
        reason: expect.stringContaining(why) as string,
      }),
    )
  })

  it.each([[undefined], [null], [5], [['www.example.org']], [{}]])('%j is a TypeError', (host) => {
    expect(() => matchHostname(certificate(['www.example.org']), host as unknown as string)).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
        message: expect.stringContaining('hostname') as string,
      }),
    )
  })

  it.each([
    ['löwe.example.org', 'xn--lwe-sna.example.org'],
    ['LÖWE.example.org', 'xn--lwe-sna.example.org'],
    ['www.löwe.ORG', 'www.xn--lwe-sna.org'],
    ['bücher.пример.рф', 'xn--bcher-kva.xn--e1afmkfd.xn--p1ai'],
    ['食狮.公司.cn', 'xn--85x722f.xn--55qx5d.cn'],
    ['straße.example.org', 'xn--strae-oqa.example.org'],
    ['☃.example.org', 'xn--n3h.example.org'],
  ])('%s is %s', (host, aLabels) => {
    expect(verifyHostname(certificate([aLabels]), host)).toMatchObject({ host, entry: aLabels })
    expect(matchHostname(certificate([aLabels.toUpperCase()]), host)).toBeDefined()
  })

  it('in mixed scripts is another name, even where it looks the same', () => {
    expect(matchHostname(certificate(['example.org', '*.org']), 'ехample.org', everyScheme)).toMatchObject({
      entry: '*.org',
    })
    expect(matchHostname(certificate(['example.org', 'xn--xample-9uf.org']), 'ехample.org')).toBeUndefined()
  })

  it('in A-labels of any case takes whole-label wildcards and no partial ones', () => {
    for (const host of [
      'xn--lwe-sna.example.org',
      'XN--lwe-sna.example.org',
      'Xn--LWE-sna.example.org',
      'xN--lwe-sna.example.org',
    ]) {
      expect(matchHostname(certificate(['*.example.org']), host)).toBeDefined()
      for (const partial of [
        'x*',
        'xn*',
        'xn-*',
        'xn--*',
        'XN--*',
        '*a',
        'x*a',
        'xn--l*a',
        '*n--lwe-sna',
        'xn--lwe-sn*',
      ])
        expect(
          matchHostname(certificate([`${partial}.example.org`], `${partial}.example.org`), host, everyScheme),
        ).toBeUndefined()
    }
  })

  it('is compared as it is, whatever its length, where it is ASCII', () => {
    const long = `${'a'.repeat(200)}.example.org`
    expect(matchHostname(certificate([long]), long)).toBeDefined()
    expect(matchHostname(certificate(['*.example.org']), long)).toBeDefined()
  })
})

describe('a presented name', () => {
  it.each([
    ['www.example.org\0', 'control character in the name'],
    ['\0www.example.org', 'control character in the name'],
    ['www.example.org\0.evil.example', 'control character in the name'],
    ['www.example.org\n', 'control character in the name'],
    ['\twww.example.org', 'control character in the name'],
    ['www.example.org\r\n', 'control character in the name'],
    ['*.example.org\n', 'control character in the name'],
    ['*.example.org\n.evil.example', 'control character in the name'],
    ['*.example.org\0', 'control character in the name'],
    ['w*w\n.example.org', 'control character in the name'],
    ['www.example.org\x7f', 'control character in the name'],
    ['www.example.org\xa0', 'name is not ASCII'],
    ['ｗww.example.org', 'name is not ASCII'],
    ['www..example.org', 'empty label in the name'],
    ['.www.example.org', 'empty label in the name'],
    ['www.exam ple.org', 'different name'],
  ])('%j matches nothing', (presented, reason) => {
    const der = certificate([presented.replace('ｗ', '\xef')], presented)
    expect(() => verifyHostname(der, 'www.example.org', everyScheme)).toThrow(
      expect.objectContaining({
        reasons: [
          expect.objectContaining({ type: 'dns', reason }),
          expect.objectContaining({ type: 'common-name', reason }),
        ],
      }),
    )
    expect(matchHostname(der, presented, everyScheme)).toBeUndefined()
  })

  it('with a KELVIN SIGN is not one with a k', () => {
    expect(matchHostname(certificate(undefined, '\u212aelvin.example.org'), 'kelvin.example.org')).toBeUndefined()
  })

  it('in Unicode is not the A-label it would have', () => {
    for (const host of ['löwe.example.org', 'xn--lwe-sna.example.org'])
      expect(
        matchHostname(certificate(['l\xf6we.example.org', 'l\xc3\xb6we.example.org'], 'löwe.example.org'), host),
      ).toBeUndefined()
  })
})

it('is an error of its own kind', () => {
  const refused = (): unknown => verifyHostname(certificate([]), 'a..b')
  expect(refused).toThrow(HostnameVerificationError)
})
