import { describe, expect, it } from 'vitest'
import { matchHostname } from '../src/index.ts'
import { pslList } from '../src/psl.ts'
import { certificate } from './certificate.ts'

describe('the list of the package psl', () => {
  it.each([
    ['www.example.co.uk', 'co.uk'],
    ['foo.github.io', 'github.io'],
    ['www.ck', 'ck'],
    ['co.uk', 'co.uk'],
    ['食狮.公司.cn', '公司.cn'],
    ['printer.local', 'local'],
  ])('%s has the suffix %s', (host, suffix) => {
    expect(pslList.publicSuffix(host)).toBe(suffix)
  })

  it('is stricter than the default', () => {
    const der = certificate(['*.github.io', '*.example.org'])
    expect(matchHostname(der, 'foo.github.io')).toBeDefined()
    expect(matchHostname(der, 'foo.github.io', { publicSuffix: pslList })).toBeUndefined()
    expect(matchHostname(der, 'www.example.org', { publicSuffix: pslList })).toBeDefined()
  })

  it('guards what psl does not parse', () => {
    for (const host of ['-.example.org', `${'a'.repeat(70)}.example.org`])
      expect(matchHostname(certificate(['*.example.org']), host, { publicSuffix: pslList })).toBeUndefined()
  })
})
