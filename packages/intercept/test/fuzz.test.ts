import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { CertificateView, readBasicConstraints } from '@x/der/x509'
import { expect, it } from 'vitest'
import { type Clone, Interceptor } from '../src/index.ts'
import { NOW, origin, proxyCa } from './samples.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 10_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

it(`${RUNS} mutated certificates (FUZZ_SEED=${SEED}): a clone that is no CA, or a coded error`, {
  timeout: 24 * 3_600_000,
}, () => {
  const random = generator(SEED)
  const interceptor = new Interceptor({ ...proxyCa, cacheSize: 10, now: () => NOW })
  const roots = rootCertificates.filter((_, i) => i % 20 === 0).map((pem) => new X509Certificate(pem).raw)
  const bases = [origin().raw, origin({ subject: {}, subjectAltNames: [['IP', '::1']] }).raw, ...roots]
  let cloned = 0
  for (let run = 0; run < RUNS; run++) {
    const raw = mutate(bases[random(bases.length)] as Uint8Array, random)
    try {
      check(interceptor.clone({ raw }), random(20) === 0)
      cloned++
    } catch (error) {
      if ((error as { name?: unknown }).name !== 'InterceptError')
        throw new Error(`run ${run} of FUZZ_SEED=${SEED}: ${Buffer.from(raw).toString('hex')}`, { cause: error })
    }
  }
  if (RUNS >= 1000) expect(cloned / RUNS).toBeGreaterThan(0.03)
})

/** What we have written reads back; now and then OpenSSL is asked as well, which may refuse by our code only. */
function check(clone: Clone, withOpenssl: boolean): void {
  const view = new CertificateView(clone.raw)
  const constraints = view.extension('2.5.29.19')
  expect(readBasicConstraints(constraints?.value as Uint8Array).ca).toBe(false)
  expect(view.serialNumber[0]).toBeLessThan(0x80)
  if (withOpenssl) expect(clone.certificate.ca).toBe(false)
}

function mutate(base: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = base.slice()
  for (let changes = random(3) + 1; changes > 0; changes--) {
    const at = random(bytes.length)
    if (random(3) === 0) bytes[at] = (bytes[at] as number) ^ (1 << random(8))
    else if (random(2) === 0) bytes[at] = random(256)
    else bytes.copyWithin(at, random(bytes.length), random(bytes.length))
  }
  return bytes
}

/** xorshift32: the same inputs from the same seed on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
