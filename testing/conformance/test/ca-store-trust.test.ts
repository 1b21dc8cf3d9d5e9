import { expect, it } from 'vitest'
import { loadCaStore } from '@x/ca-store'
import { corpus } from '../src/corpus.ts'

interface Row {
  readonly name: string
  readonly cli: string
  readonly purpose: string
  readonly expected: 'valid' | 'invalid'
  readonly trusted_cert_aux: boolean
  readonly trust_anchors: readonly string[]
}

const rows = corpus<Row>('chains/openssl-verify.jsonl')?.filter((row) => row.trusted_cert_aux)

/** The file names of OpenSSL's test say what the block does: `root+serverAuth.pem` adds trust, `ca-anyEKU.pem` rejects. */
const setting = /([+-])(serverAuth|clientAuth|anyEKU)\.pem$/

it.skipIf(rows === undefined)('the trust settings of OpenSSL’s own tests are honoured', () => {
  let judged = 0
  for (const row of rows ?? []) {
    const purpose = row.purpose === 'sslclient' ? 'clientAuth' : 'serverAuth'
    const files = [...row.cli.matchAll(/-trusted (\S+)/g)].map(([, file]) => file as string)
    for (const [i, pem] of row.trust_anchors.entries()) {
      const [, sign, name] = setting.exec(files[i] ?? '') ?? []
      if (sign === undefined) continue
      const concerns = name === purpose || name === 'anyEKU'
      const expected = sign === '+' ? concerns : !concerns
      judged++
      expect(isKept(pem, purpose), `${row.name}: ${files[i]}`).toBe(expected)
    }
  }
  expect(judged).toBeGreaterThan(40)
})

it.skipIf(rows === undefined)('what OpenSSL accepts with one trusted block, the store holds', () => {
  for (const row of rows ?? [])
    if (row.expected === 'valid' && row.trust_anchors.length === 1)
      expect(
        isKept(row.trust_anchors[0] as string, row.purpose === 'sslclient' ? 'clientAuth' : 'serverAuth'),
        row.name,
      ).toBe(true)
})

function isKept(pem: string, purpose: 'serverAuth' | 'clientAuth'): boolean {
  try {
    return loadCaStore({ certificates: pem, purpose }).size === 1
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CA_EMPTY', cause: { code: 'ERR_CA_DISTRUSTED' } })
    return false
  }
}
