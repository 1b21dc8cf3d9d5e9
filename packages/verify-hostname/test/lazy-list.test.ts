import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { matchHostname } from '../src/index.ts'
import { certificate } from './certificate.ts'

it('loads the list of public suffixes at the first wildcard match, not before', () => {
  const loaded = (): boolean =>
    Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('tldts-icann'))
  const der = certificate(['www.example.org', '*.example.org', '*.example.net'])
  expect(matchHostname(der, 'www.example.org')).toBeDefined()
  expect(matchHostname(der, 'www.example.com')).toBeUndefined()
  expect(matchHostname(der, 'a.example.org', { publicSuffix: 'none' })).toBeDefined()
  expect(loaded()).toBe(false)
  expect(matchHostname(der, 'a.example.org')).toBeDefined()
  expect(loaded()).toBe(true)
})
