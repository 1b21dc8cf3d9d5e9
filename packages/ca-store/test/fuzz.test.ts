import * as fc from 'fast-check'
import { CertificateView } from '@x/der/x509'
import { expect, it } from 'vitest'
import { loadCaStore } from '../src/index.ts'
import { der, pem, root, SERVER_AUTH, trusted } from './support.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1_500)
const timeout = 30_000 + 10 * numRuns
const parameters = {
  numRuns,
  ...(process.env['FUZZ_SEED'] === undefined ? {} : { seed: Number(process.env['FUZZ_SEED']) }),
}

const good = root('Good')
const samples = [good.cert, good.issue('leaf').cert, trusted(good.cert, { trust: [SERVER_AUTH], alias: 'x' })]

/** Bytes with some of them changed, removed, doubled or cut off. fast-check prints its seed where it fails. */
const damage = fc.array(
  fc.record({ at: fc.nat(), kind: fc.constantFrom('set', 'cut', 'double', 'drop'), value: fc.nat({ max: 255 }) }),
  {
    minLength: 1,
    maxLength: 4,
  },
)

function damaged(bytes: Buffer, changes: readonly { at: number; kind: string; value: number }[]): Buffer {
  let result = Buffer.from(bytes)
  for (const { at, kind, value } of changes) {
    const i = at % (result.length + 1)
    if (kind === 'set' && i < result.length) result[i] = value
    if (kind === 'cut') result = result.subarray(0, i)
    if (kind === 'double') result = Buffer.concat([result, result.subarray(i)])
    if (kind === 'drop') result = Buffer.concat([result.subarray(0, i), result.subarray(i + 1)])
  }
  return result
}

/** Everything a store can be asked gives an answer or an error of ours. */
function useAll(certificates: string | Uint8Array): void {
  try {
    const store = loadCaStore({ certificates: [certificates, good.cert] })
    const { subject } = new CertificateView(good.raw)
    expect(store.size).toBe(store.raw.length)
    expect(store.certificates.length).toBeLessThanOrEqual(store.size)
    expect(store.errors.every((error) => error.code.startsWith('ERR_CA_'))).toBe(true)
    for (const bytes of store.raw) expect(store.origin(bytes)).toBeDefined()
    expect(store.findBySubject(subject).length).toBeLessThanOrEqual(store.size)
    store.toPem()
    store.findIssuer(certificates)
  } catch (error) {
    expect(error).toMatchObject({ name: 'CaStoreError', code: expect.stringMatching(/^ERR_CA_/) })
  }
}

it('damaged DER', { timeout }, () => {
  fc.assert(
    fc.property(fc.constantFrom(...samples.slice(0, 2)), damage, (sample, changes) =>
      useAll(damaged(der(sample), changes)),
    ),
    parameters,
  )
})

it('damaged DER in good PEM', { timeout }, () => {
  fc.assert(
    fc.property(fc.constantFrom(...samples), damage, fc.boolean(), (sample, changes, asTrusted) =>
      useAll(pem(damaged(der(sample), changes), asTrusted ? 'TRUSTED CERTIFICATE' : 'CERTIFICATE')),
    ),
    parameters,
  )
})

it('damaged PEM', { timeout }, () => {
  const bundle = Buffer.from(samples.join('# between\n'))
  fc.assert(
    fc.property(damage, (changes) => useAll(damaged(bundle, changes))),
    parameters,
  )
})

it('anything', { timeout }, () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 200 })), (input) => useAll(input)),
    parameters,
  )
})
