import { describe, expect, it } from 'vitest'
import { matchHostname, type WildcardRule } from '../src/index.ts'
import { certificate } from './certificate.ts'

const yes = true
const no = false

// presented, host, none, whole-label, within-label
const truths: readonly (readonly [string, string, boolean, boolean, boolean])[] = [
  ['www.example.org', 'www.example.org', yes, yes, yes],
  ['www.example.org', 'WWW.Example.ORG', yes, yes, yes],
  ['WWW.EXAMPLE.ORG', 'www.example.org', yes, yes, yes],
  ['www.example.org', 'www.example.org.', yes, yes, yes],
  ['www.example.org.', 'www.example.org', yes, yes, yes],
  ['www.example.org..', 'www.example.org...', yes, yes, yes],
  ['localhost', 'localhost', yes, yes, yes],
  ['www.example.org', 'ww.example.org', no, no, no],
  ['www.example.org', 'example.org', no, no, no],
  ['example.org', 'www.example.org', no, no, no],
  ['xwww.example.org', 'www.example.org', no, no, no],
  ['a_b.example.org', 'a_b.example.org', yes, yes, yes],
  ['*.example.org', 'www.example.org', no, yes, yes],
  ['*.EXAMPLE.org', 'WWW.example.ORG', no, yes, yes],
  ['*.example.org.', 'www.example.org.', no, yes, yes],
  ['*.example.org', 'example.org', no, no, no],
  ['*.example.org', '.example.org', no, no, no],
  ['*.example.org', 'a.b.example.org', no, no, no],
  ['*.example.org', 'wwwxexample.org', no, no, no],
  ['*.example.org', 'xn--lwe-sna.example.org', no, yes, yes],
  ['*.example.org', 'löwe.example.org', no, yes, yes],
  ['www*.example.org', 'www1.example.org', no, no, yes],
  ['WWW*.example.org', 'wwW1.example.org', no, no, yes],
  ['www*.example.org', 'www.example.org', no, no, no],
  ['www*.example.org', 'www.a.example.org', no, no, no],
  ['*www.example.org', 'awww.example.org', no, no, yes],
  ['*www.example.org', 'www.example.org', no, no, no],
  ['w*w.example.org', 'wow.example.org', no, no, yes],
  ['w*w.example.org', 'ww.example.org', no, no, no],
  ['w*w.example.org', 'w.w.example.org', no, no, no],
  ['*w.example.org', 'xn--abcw.example.org', no, no, no],
  ['*w.example.org', 'XN--abcw.example.org', no, no, no],
  ['x*.example.org', 'xn--abc.example.org', no, no, no],
  ['xn--*.example.org', 'xn--abc.example.org', no, no, no],
  ['XN--*.example.org', 'xn--abc.example.org', no, no, no],
  ['xn--a*.example.org', 'Xn--abc.example.org', no, no, no],
  ['x*c.example.org', 'xN--abc.example.org', no, no, no],
  ['l*.example.org', 'löwe.example.org', no, no, no],
  ['w*.xn--lwe-sna.org', 'www.xn--lwe-sna.org', no, no, yes],
  ['a.*.example.org', 'a.b.example.org', no, no, no],
  ['a.*', 'a.b', no, no, no],
  ['*', 'localhost', no, no, no],
  ['*.', 'localhost', no, no, no],
  ['w*', 'www', no, no, no],
  ['*.*', 'a.b', no, no, no],
  ['*.*.org', 'a.b.org', no, no, no],
  ['**.example.org', 'www.example.org', no, no, no],
  ['*a*.example.org', 'wwwaw.example.org', no, no, no],
  ['*..example.org', 'a..example.org', no, no, no],
  ['', 'www.example.org', no, no, no],
  ['.', '.', no, no, no],
  ['*.example.org', '*.example.org', no, no, no],
  ['www.example.org', 'www.example.org:443', no, no, no],
]

const rules: readonly WildcardRule[] = ['none', 'whole-label', 'within-label']

describe.each(rules)('wildcard %s', (rule) => {
  const column = rules.indexOf(rule)
  it.each(truths)('SAN %j against %j', (presented, host, ...verdicts) => {
    const scheme = { sanWildcard: rule }
    const match = matchHostname(certificate([presented]), host, { scheme, publicSuffix: 'none' })
    expect(match !== undefined).toBe(verdicts[column])
    if (match !== undefined)
      expect(match).toMatchObject({ type: 'dns', entry: presented, wildcard: presented.includes('*') })
  })

  it.each(truths)('common name %j against %j', (presented, host, ...verdicts) => {
    const scheme = { commonName: 'always', commonNameWildcard: rule } as const
    const match = matchHostname(certificate(undefined, presented), host, { scheme, publicSuffix: 'none' })
    expect(match !== undefined).toBe(verdicts[column])
    if (match !== undefined) expect(match).toMatchObject({ type: 'common-name', entry: presented })
  })
})

it('trims blanks around alternative names, and nothing around the common name', () => {
  expect(matchHostname(certificate(['  www.example.org ']), 'www.example.org')).toBeDefined()
  expect(matchHostname(certificate([' *.example.org']), 'www.example.org')).toBeDefined()
  expect(matchHostname(certificate(undefined, ' www.example.org'), 'www.example.org')).toBeUndefined()
})
