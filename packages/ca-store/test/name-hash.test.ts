import { printableString, sequence, utf8String } from '@x/der'
import { describe, expect, it } from 'vitest'
import { nameHash } from '../src/index.ts'
import { name } from './support.ts'

describe('the hash that OpenSSL names files by', () => {
  it.each([
    // `openssl x509 -subject_hash` of certificates with these subjects
    ['', 'Root', 'dcaaf7f0', utf8String('Root')],
    ['in another type', 'Root', 'dcaaf7f0', printableString('Root')],
    ['in another case, with spaces', ' rOOT  ', 'dcaaf7f0', utf8String(' rOOT  ')],
    ['not ASCII', 'Größe', '3a8a79b7', utf8String('Größe')],
  ])('%s (%s)', (_, __, hash, value) => {
    expect(nameHash(name(value))).toBe(hash)
  })

  it('the empty name has one too', () => {
    expect(nameHash(sequence())).toBe('eea339da')
  })

  it('what is no name has none', () => {
    expect(() => nameHash(Uint8Array.of(0x30, 0x81, 0x02, 0x31, 0x00))).toThrow(
      expect.objectContaining({ name: 'DerError' }),
    )
  })
})
