import { describe, expect, it } from 'vitest'
import {
  createAuthority,
  createCertificate,
  describeCertificate,
  generateKeySync,
  parseCertificates,
  parseIdentity,
  parsePkcs12,
  parsePrivateKey,
  verifySignature,
} from '@x/utils'
import { fixture } from './support.ts'

const runs = Number(process.env['FUZZ_RUNS'] ?? 4000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 0x7fffffff)

/** mulberry32 */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function mutated(bytes: Uint8Array, next: () => number): Buffer {
  const out = [...bytes]
  for (let changes = 1 + Math.floor(next() * 4); changes > 0; changes--) {
    const at = Math.floor(next() * out.length)
    const kind = Math.floor(next() * 5)
    if (kind === 0) out.splice(at, 1 + Math.floor(next() * 8))
    else if (kind === 1) out.splice(at, 0, ...out.slice(at, at + Math.floor(next() * 16)))
    else if (kind === 2) out[at] = [0, 0x80, 0xff, 0x30, 0x7f][Math.floor(next() * 5)] as number
    else out[at] = Math.floor(next() * 256)
  }
  return Buffer.from(out)
}

const ca = createAuthority()
const key = generateKeySync('ec')
const leaf = ca.issue({
  names: ['a.example', '127.0.0.1', 'a@b.c'],
  ocspUris: ['http://o/'],
  crlUris: ['http://c/'],
  mustStaple: true,
  privateKey: key,
})
const passphrase = 'secret'

const targets: [string, Uint8Array, number, (bytes: Buffer) => unknown][] = [
  ['certificates in DER', leaf.raw, 1, (bytes) => parseCertificates(bytes)],
  [
    'descriptions',
    leaf.raw,
    1,
    (bytes) => {
      const description = describeCertificate(bytes)
      for (const { text } of description.extensions) expect(typeof text).toBe('string')
      return createCertificate({ ...description, privateKey: key })
    },
  ],
  ['certificates in PEM', Buffer.from(leaf.cert), 1, (bytes) => parseCertificates(bytes)],
  ['keys in PEM', fixture('leaf.key'), 1, (bytes) => parsePrivateKey(bytes)],
  ['keys in DER', key.export({ type: 'pkcs8', format: 'der' }), 1, (bytes) => parsePrivateKey(bytes)],
  ['encrypted keys', fixture('PBE-SHA1-3DES.key'), 20, (bytes) => parsePrivateKey(bytes, { passphrase })],
  ['PKCS#12 without a MAC', fixture('no-mac.p12'), 20, (bytes) => parsePkcs12(bytes, { passphrase })],
  ['identities', fixture('empty-passphrase.p12'), 20, (bytes) => parseIdentity(bytes)],
  [
    'algorithms',
    Buffer.from(
      '304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120',
      'hex',
    ),
    1,
    (algorithm) =>
      verifySignature({ algorithm, data: algorithm, signature: algorithm, publicKey: ca.certificate.publicKey }),
  ],
]

describe('mutated input', () => {
  it.each(targets)(
    '%s: an answer or a coded error',
    async (name, bytes, cost, read) => {
      const next = random(seed)
      for (let i = 0; i < runs / cost; i++) {
        const input = mutated(bytes, next)
        try {
          await read(input)
        } catch (error) {
          const { code } = error as { code?: string }
          expect(code, `${name}, run ${i} with FUZZ_SEED=${seed}: ${String(error)}\n${input.toString('hex')}`).toMatch(
            /^ERR_CERT_/,
          )
        }
      }
    },
    600_000,
  )
})
