import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parsePrivateKey } from '@x/utils'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Row {
  readonly file: string
  readonly data: string
  readonly node20_private:
    | { readonly error: string }
    | { readonly kty: string; readonly spki_sha256: string; readonly passphrase?: string }
}

const rows = corpus<Row>('parse/keys.jsonl')

describe.skipIf(rows === undefined)('private keys', () => {
  it('are what Node makes of them, or what the exceptions list', () => {
    const differences = (rows ?? []).flatMap((row): Difference[] => {
      const theirs = row.node20_private
      const expected = 'error' in theirs ? 'refused' : `${theirs.kty} ${theirs.spki_sha256}`
      const actual = read(Buffer.from(row.data, 'base64'), 'error' in theirs ? undefined : theirs.passphrase)
      const same = expected === 'refused' ? actual.startsWith('refused') : expected === actual
      return same ? [] : [{ id: row.file, expected, actual }]
    })
    expectExceptions('keys', differences)
  })

  it('want their passphrase, and refuse another', () => {
    for (const { data, node20_private: theirs } of rows ?? []) {
      if ('error' in theirs || theirs.passphrase === undefined || theirs.passphrase === '') continue
      const bytes = Buffer.from(data, 'base64')
      if (read(bytes, undefined) !== 'refused: ERR_CERT_PASSPHRASE_REQUIRED') continue
      expect(read(bytes, `${theirs.passphrase}x`)).toBe('refused: ERR_CERT_PASSPHRASE_WRONG')
    }
  })
})

function read(data: Uint8Array, passphrase: string | undefined): string {
  let key: KeyObject
  try {
    key = parsePrivateKey(data, { passphrase })
  } catch (error) {
    const { code } = error as { code: string }
    expect(code).toMatch(/^ERR_CERT_/)
    return `refused: ${code}`
  }
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `${key.asymmetricKeyType} ${createHash('sha256').update(spki).digest('hex')}`
}
