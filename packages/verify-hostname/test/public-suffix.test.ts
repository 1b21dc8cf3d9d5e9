import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { matchHostname, PublicSuffixList } from '../src/index.ts'
import { certificate } from './certificate.ts'

const text = `
// ===BEGIN ICANN DOMAINS===
com
uk
co.uk   // a comment
*.ck
!www.ck
公司.cn
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
github.io
*.a.*.example
// ===END PRIVATE DOMAINS===
`

describe('a list from text', () => {
  const list = PublicSuffixList.fromString(text)

  it.each([
    ['www.example.com', 'com', 'example.com', 'www.example'],
    ['WWW.Example.COM', 'com', 'example.com', 'www.example'],
    ['com', 'com', 'com', ''],
    ['example.co.uk', 'co.uk', 'example.co.uk', 'example'],
    ['www.example.co.uk.', 'co.uk.', 'example.co.uk.', 'www.example'],
    ['a.b.ck', 'b.ck', 'a.b.ck', 'a'],
    ['www.ck', 'ck', 'www.ck', 'www'],
    ['a.www.ck', 'ck', 'www.ck', 'a.www'],
    ['ck', 'ck', 'ck', ''],
    ['example.unlisted', 'unlisted', 'example.unlisted', 'example'],
    ['foo.github.io', 'github.io', 'foo.github.io', 'foo'],
    ['食狮.公司.cn', '公司.cn', '食狮.公司.cn', '食狮'],
    ['xn--85x722f.xn--55qx5d.cn', 'xn--55qx5d.cn', 'xn--85x722f.xn--55qx5d.cn', 'xn--85x722f'],
    ['z.y.a.b.example', 'y.a.b.example', 'z.y.a.b.example', 'z'],
    ['1.2.3.4', '4', '3.4', '1.2.3'],
    ['*.co.uk', 'co.uk', '*.co.uk', '*'],
    ['*.ck', '*.ck', '*.ck', ''],
  ])('%s: suffix %s, with one more %s', (host, suffix, domain, rest) => {
    expect(list.publicSuffix(host)).toBe(suffix)
    expect(list.publicSuffix(host, 1)).toBe(domain)
    expect(list.split(host)).toEqual({ rest, suffix })
  })

  it('takes and gives labels', () => {
    expect(list.publicSuffix(['www', 'Example', 'co', 'uk'], 1)).toEqual(['example', 'co', 'uk'])
    expect(list.split(['www', '公司', 'cn'])).toEqual({ rest: ['www'], suffix: ['公司', 'cn'] })
    expect(list.publicSuffix([])).toBeUndefined()
  })

  it.each(['', '.', '..', '.com', 'a..com', 'a b.com', 'x.co.uk..', '*a.com', 'a\n.com'])(
    'has no answer for %j',
    (host) => {
      expect(list.publicSuffix(host)).toBeUndefined()
      expect(list.split(host)).toBeUndefined()
      expect(list.publicSuffix(host.split('.'))).toBeUndefined()
    },
  )

  it('can leave the private section out', () => {
    const icann = PublicSuffixList.fromString(text, { section: 'icann' })
    expect(icann.publicSuffix('foo.github.io')).toBe('io')
    expect(icann.publicSuffix('example.co.uk')).toBe('co.uk')
  })

  it('counts minSuffix labels where no rule applies', () => {
    const none = PublicSuffixList.fromString('', { minSuffix: 0 })
    expect(none.split('a.example.com')).toEqual({ rest: 'a.example.com', suffix: '' })
    expect(none.publicSuffix('a.example.com', 1)).toBe('com')
    expect(PublicSuffixList.fromString('', { minSuffix: 2 }).publicSuffix('a.example.com', 1)).toBe('a.example.com')
    expect(PublicSuffixList.fromString('*\nco.uk', { minSuffix: 5 }).publicSuffix('a.example.com')).toBe('com')
  })

  it.each(['com\na..b', 'com\n!', '*a.com', 'com\n.com', '\ncom\n\nex%ample'])(
    '%j is refused by its line',
    (broken) => {
      expect(() => PublicSuffixList.fromString(broken)).toThrow(
        expect.objectContaining({
          code: 'ERR_HOSTNAME_SUFFIX_LIST',
          message: expect.stringMatching(/^Line \d/) as string,
        }),
      )
    },
  )

  it.each([
    [{ minSuffix: -1 }],
    [{ minSuffix: 1.5 }],
    [{ minSuffix: NaN }],
    [{ minSuffix: '1' }],
    [{ section: 'private' }],
    [{ min_suffix: 1 }],
  ])('%j is a TypeError', (options) => {
    expect(() => PublicSuffixList.fromString('com', options as object)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }),
    )
  })

  it('misuse is a TypeError', () => {
    expect(() => PublicSuffixList.fromString(5 as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
    expect(() => PublicSuffixList.fromString('com', null as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
    expect(() => new PublicSuffixList('com' as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
    expect(() => list.publicSuffix(5 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
    expect(() => list.publicSuffix([5] as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
    expect(() => list.publicSuffix('a.com', -1)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  })
})

describe('a list from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'psl-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('by path and by URL, in UTF-8', () => {
    const path = join(folder, 'list.dat')
    writeFileSync(path, text.replaceAll('\n', '\r\n'))
    expect(PublicSuffixList.fromFile(path).publicSuffix('食狮.公司.cn')).toBe('公司.cn')
    expect(PublicSuffixList.fromFile(pathToFileURL(path), { section: 'icann' }).publicSuffix('foo.github.io')).toBe(
      'io',
    )
  })

  it('that is not there, or is no path', () => {
    expect(() => PublicSuffixList.fromFile(join(folder, 'none'))).toThrow(
      expect.objectContaining({
        code: 'ERR_HOSTNAME_SUFFIX_LIST',
        cause: expect.objectContaining({ code: 'ENOENT' }) as Error,
      }),
    )
    expect(() => PublicSuffixList.fromFile('')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    expect(() => PublicSuffixList.fromFile(null as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })
})

describe('the guard on wildcards', () => {
  it.each([
    ['*.example.com', 'www.example.com', true],
    ['*.com', 'example.com', false],
    ['*.co.uk', 'example.co.uk', false],
    ['*.example.co.uk', 'www.example.co.uk', true],
    ['*.uk', 'example.uk', false],
    ['*.github.io', 'foo.github.io', true],
    ['*.s3.amazonaws.com', 'foo.s3.amazonaws.com', true],
    ['*.kobe.jp', 'foo.kobe.jp', false],
    ['*.foo.kobe.jp', 'bar.foo.kobe.jp', false],
    ['*.bar.foo.kobe.jp', 'baz.bar.foo.kobe.jp', true],
    ['*.city.kobe.jp', 'foo.city.kobe.jp', true],
    ['*.ck', 'www.ck', false],
    ['*.www.ck', 'a.www.ck', true],
    ['*.local', 'printer.local', false],
    ['*.printer.local', 'a.printer.local', true],
    ['*.公司.cn', '食狮.公司.cn', false],
    ['ex*le.com', 'example.com', false],
    ['w*.example.com', 'www.example.com', true],
  ])('ICANN: %s for %s: %j', (presented, host, verdict) => {
    const ascii = presented.replace('公司', 'xn--55qx5d')
    expect(matchHostname(certificate([ascii]), host) !== undefined).toBe(verdict)
    expect(matchHostname(certificate(undefined, ascii), host) !== undefined).toBe(verdict)
    expect(matchHostname(certificate([ascii]), host, { publicSuffix: 'none' })).toBeDefined()
  })

  it('does not stand in the way of exact names', () => {
    expect(matchHostname(certificate(['co.uk']), 'co.uk')).toBeDefined()
  })

  it('takes a list of one’s own, and another copy of the class', () => {
    const der = certificate(['*.github.io'])
    const list = PublicSuffixList.fromString(text)
    expect(matchHostname(der, 'foo.github.io', { publicSuffix: list })).toBeUndefined()
    const copy = { isBelowRegistrableDomain: (host: string) => list.isBelowRegistrableDomain(host) } as PublicSuffixList
    expect(matchHostname(der, 'foo.github.io', { publicSuffix: copy })).toBeUndefined()
    expect(matchHostname(der, 'a.foo.github.io', { publicSuffix: copy })).toBeUndefined()
    expect(matchHostname(certificate(['*.foo.github.io']), 'a.foo.github.io', { publicSuffix: copy })).toBeDefined()
    const truthy = { isBelowRegistrableDomain: () => 1 } as unknown as PublicSuffixList
    expect(matchHostname(der, 'foo.github.io', { publicSuffix: truthy })).toBeUndefined()
  })

  it('is by a list that others can use', () => {
    const list = PublicSuffixList.default()
    expect(list.publicSuffix('www.example.co.uk', 1)).toBe('example.co.uk')
    expect(list.publicSuffix('foo.github.io')).toBe('io')
    expect(list.publicSuffix('foo.unlisted')).toBe('unlisted')
    expect(PublicSuffixList.default()).toBe(list)
  })
})
