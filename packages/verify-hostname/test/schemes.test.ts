import { membersOfClasses } from '@x-testing/inherited'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { matchHostname, type SchemeName, schemes, verifyHostname } from '../src/index.ts'
import { certificate } from './certificate.ts'

/** What each scheme accepts, by its letters: see `probes`. */
const table: Readonly<Record<Exclude<SchemeName, 'none'>, string>> = {
  default: 'w p W P c b i 4 6',
  http: 'w p W P c i 4',
  www: 'w p W P c i 4',
  rfc2818: 'w p W P c i',
  rfc3920: 'w p W P c i',
  xmpp: 'w p W P c i',
  rfc4217: 'w p W P c i',
  ftp: 'w p W P c i',
  rfc4513: 'w c b i',
  ldap: 'w c b i',
  rfc2595: 'w W c b i',
  smtp: 'w W c b i',
  rfc4642: 'w W c b i',
  imap: 'w W c b i',
  pop3: 'w W c b i',
  acap: 'w W c b i',
  rfc5539: 'w W c b i',
  nntp: 'w W c b i',
  rfc5538: 'w W c b i',
  netconf: 'w W c b i',
  rfc5425: 'w W c b i',
  syslog: 'w W c b i',
  rfc5953: 'w W c b i',
  snmp: 'w W c b i',
  rfc5971: 'w W c i',
  gist: 'w W c i',
  rfc5922: 'c b i',
  sip: 'c b i',
  rfc9525: 'w i',
}

const probes: readonly (readonly [string, Uint8Array, string])[] = [
  ['w', certificate(['*.example.org']), 'www.example.org'],
  ['p', certificate(['w*.example.org']), 'www.example.org'],
  ['W', certificate(undefined, '*.example.org'), 'www.example.org'],
  ['P', certificate(undefined, 'w*.example.org'), 'www.example.org'],
  ['c', certificate(undefined, 'www.example.org'), 'www.example.org'],
  ['b', certificate(['other.example.org'], 'www.example.org'), 'www.example.org'],
  ['i', certificate(['ip:10.1.2.3']), '10.1.2.3'],
  ['4', certificate(undefined, '10.1.2.3'), '10.1.2.3'],
  ['6', certificate(undefined, '2001:db8::1'), '2001:db8::1'],
]

describe.each(Object.entries(table))('scheme %s', (scheme, accepted) => {
  it(`accepts ${accepted} and nothing else`, () => {
    const found = probes.filter(([, der, host]) => matchHostname(der, host, { scheme: scheme as SchemeName }))
    expect(found.map(([letter]) => letter).join(' ')).toBe(accepted)
  })

  it('says in the match and in the error by which rules', () => {
    const options = { scheme: scheme as SchemeName }
    expect(verifyHostname(certificate(['a.example.org']), 'a.example.org', options).scheme).toBe(scheme)
    expect(() => verifyHostname(certificate(['a.example.org']), 'b.example.org', options)).toThrow(
      expect.objectContaining({ code: 'ERR_HOSTNAME_MISMATCH', scheme }),
    )
  })
})

describe('the table', () => {
  it('has every scheme and nothing else, not even a prototype', () => {
    expect(Object.keys(schemes).sort()).toEqual([...Object.keys(table), 'none'].sort())
    expect(Object.getPrototypeOf(schemes)).toBeNull()
    expect(Object.isFrozen(schemes) && Object.isFrozen(schemes.default)).toBe(true)
  })

  it('has aliases that share a row', () => {
    expect(schemes.www).toBe(schemes.http)
    expect(schemes.sip).toBe(schemes.rfc5922)
    expect(schemes.imap).toBe(schemes.rfc2595)
  })

  it('is what the names stand for: a row given as a Scheme decides alike', () => {
    for (const [letter, der, host] of probes)
      for (const name of Object.keys(table) as (keyof typeof table)[])
        expect([letter, name, matchHostname(der, host, { scheme: schemes[name] }) !== undefined]).toEqual([
          letter,
          name,
          matchHostname(der, host, { scheme: name }) !== undefined,
        ])
  })
})

describe('none', () => {
  it('accepts everything, without looking', () => {
    const anything = { host: 'x', scheme: 'none', type: 'none', entry: undefined, wildcard: false }
    expect(verifyHostname(new Uint8Array(), 'x.', { scheme: 'none' })).toEqual(anything)
  })

  it('is meant by its name only: its row compares nothing and so refuses', () => {
    expect(
      matchHostname(certificate(['*.example.org'], 'www.example.org'), 'www.example.org', { scheme: schemes.none }),
    ).toBeUndefined()
  })
})

describe('custom schemes', () => {
  it('leave out what they do not say', () => {
    const der = certificate(['*.example.org'], 'www.example.org')
    expect(matchHostname(der, 'www.example.org', { scheme: {} })).toBeUndefined()
    expect(matchHostname(der, 'www.example.org', { scheme: { commonName: 'always' } })).toMatchObject({
      scheme: 'custom',
      type: 'common-name',
    })
    expect(
      matchHostname(certificate(undefined, '::1'), '::1', { scheme: { commonName: 'always', ipInCommonName: 'ipv6' } }),
    ).toBeDefined()
    expect(
      matchHostname(certificate(undefined, '1.2.3.4'), '1.2.3.4', {
        scheme: { commonName: 'always', ipInCommonName: 'ipv6' },
      }),
    ).toBeUndefined()
  })

  it.each([
    [{ sanWildcards: 'none' }, "unknown field 'sanWildcards'"],
    [{ sanWildcard: 'anywhere' }, 'options.scheme.sanWildcard must be one of'],
    [{ commonName: true }, 'options.scheme.commonName must be one of'],
    [{ constructor: 'none' }, "unknown field 'constructor'"],
    ['https', "there is no scheme 'https'"],
    ['constructor', "there is no scheme 'constructor'"],
    ['__proto__', "there is no scheme '__proto__'"],
    ['', "there is no scheme ''"],
  ])('%j is a TypeError', (scheme, message) => {
    expect(() =>
      matchHostname(certificate(['a.example.org']), 'a.example.org', { scheme: scheme as SchemeName }),
    ).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringContaining(message) as string,
      }),
    )
  })

  it.each([[null], [5], [[]], [true]])('%j is a TypeError', (scheme) => {
    expect(() => matchHostname(certificate([]), 'a', { scheme: scheme as unknown as SchemeName })).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })

  it.each([
    ['rfc3207', 'smtp'],
    ['rfc2995', 'imap'],
  ])('%s of the oldest manuals names %s', (scheme, today) => {
    expect(() => matchHostname(certificate([]), 'a', { scheme: scheme as SchemeName })).toThrow(
      expect.objectContaining({
        code: 'ERR_HOSTNAME_OBSOLETE_SCHEME',
        scheme,
        message: expect.stringContaining(`'${today}'`) as string,
      }),
    )
  })
})

describe('options', () => {
  it('unknown ones are refused by name', () => {
    expect(() => matchHostname(certificate([]), 'a', { shceme: 'http' } as object)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message: "options: unknown option 'shceme'" }),
    )
  })

  it.each([
    ['scheme', 'none', {}],
    ['publicSuffix', 'none', {}],
    ['sanWildcard', 'within-label', { scheme: { commonName: 'never' } }],
  ] as const)('inherited: %s of a polluted Object.prototype', (key, value, options) => {
    const polluted = Object.prototype as Record<string, unknown>
    polluted[key] = value
    try {
      expect(() => verifyHostname(certificate([]), 'elsewhere.example', options)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
      expect(() => verifyHostname(certificate([]), 'elsewhere.example')).toThrow(
        expect.objectContaining({ code: 'ERR_HOSTNAME_MISMATCH' }),
      )
    } finally {
      delete polluted[key]
    }
  })

  it.each([
    ['scheme', 'none', (options: object) => options],
    ['publicSuffix', 'none', (options: object) => options],
    ['commonName', 'always', (scheme: object) => ({ scheme })],
  ] as const)('a member of a class: %s', (key, value, within) => {
    for (const [, given] of membersOfClasses(key, value))
      expect(() => matchHostname(certificate([]), 'a', within(given))).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARG_VALUE',
          message: expect.stringContaining(`'${key}'`) as string,
        }),
      )
    class Own {
      [key] = undefined
    }
    const accepted = [new Own(), Object.create(null) as object, runInNewContext('({})') as object]
    for (const given of accepted)
      expect(() => matchHostname(certificate([]), 'a', within(given))).not.toThrow(TypeError)
  })

  it.each([[null], ['http'], [[]]])('%j is a TypeError', (options) => {
    expect(() => matchHostname(certificate([]), 'a', options as unknown as object)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })

  it.each([['icann '], [null], [{}], [true]])('publicSuffix %j is a TypeError', (publicSuffix) => {
    expect(() => matchHostname(certificate([]), 'a', { publicSuffix: publicSuffix as 'none' })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringContaining('options.publicSuffix') as string,
      }),
    )
  })

  it('undefined is the default', () => {
    expect(
      matchHostname(certificate(['*.example.org']), 'a.example.org', { scheme: undefined, publicSuffix: undefined }),
    ).toBeDefined()
  })
})

describe('rfc9525 takes names as they stand', () => {
  const scheme = 'rfc9525'
  it.each([
    [['www.example.org'], 'www.example.org.', true],
    [['www.example.org'], 'www.example.org..', false],
    [['www.example.org.'], 'www.example.org', false],
    [['www.example.org.'], 'www.example.org.', false],
    [['*.example.org.'], 'www.example.org', false],
    [[' www.example.org'], 'www.example.org', false],
    [['0x7f.0.0.1'], '0x7f.0.0.1', false],
    [['*.2.3.4'], 'x.2.3.4', false],
    [['ip:2001:db8::1'], '2001:db8:0::1', true],
    [['ip:2001:db8::1'], '2001:DB8::1', false],
    [['ip:10.1.2.3'], '10.1.2.3.', true],
    [['ip:10.1.2.3'], '10.1.2.3..', false],
  ])('%j against %j: %j', (altNames, host, verdict) => {
    expect(matchHostname(certificate(altNames), host, { scheme, publicSuffix: 'none' }) !== undefined).toBe(verdict)
  })
})
