import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parsePkcs12 } from '@x/utils'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Row {
  readonly file: string
  readonly data: string
  readonly passphrase?: string
  /** SHA-256 of each certificate. */
  readonly certs?: readonly string[]
  readonly has_key?: boolean
  readonly error?: string
}

const rows = corpus<Row>('parse/pkcs12.jsonl')

describe.skipIf(rows === undefined)('PKCS#12 files', () => {
  it('hold what OpenSSL finds in them, or what the exceptions list', async () => {
    const differences: Difference[] = []
    for (const { file, data, passphrase, certs = [], has_key, error } of rows ?? []) {
      const expected = error === undefined ? { certs: [...certs].sort(), key: has_key } : 'refused'
      const actual = await read(Buffer.from(data, 'base64'), passphrase)
      const same =
        expected === 'refused' ? typeof actual === 'string' : JSON.stringify(expected) === JSON.stringify(actual)
      if (!same) differences.push({ id: file, expected, actual })
    }
    expectExceptions('pkcs12', differences)
  })

  it('want their passphrase, and refuse another', async () => {
    for (const { data, passphrase = '' } of rows ?? []) {
      if (passphrase === '') continue
      const bytes = Buffer.from(data, 'base64')
      expect(await read(bytes, undefined)).toBe('refused: ERR_CERT_PASSPHRASE_REQUIRED')
      expect(await read(bytes, `${passphrase}x`)).toBe('refused: ERR_CERT_PASSPHRASE_WRONG')
    }
  })
})

async function read(bytes: Uint8Array, passphrase: string | undefined): Promise<object | string> {
  try {
    const { certificate, chain, privateKey } = await parsePkcs12(bytes, { passphrase })
    const certificates = certificate === undefined ? chain : [certificate, ...chain]
    return {
      certs: certificates.map(({ raw }) => createHash('sha256').update(raw).digest('hex')).sort(),
      key: privateKey !== undefined,
    }
  } catch (error) {
    const { code } = error as { code: string }
    expect(code).toMatch(/^ERR_CERT_/)
    return `refused: ${code}`
  }
}
