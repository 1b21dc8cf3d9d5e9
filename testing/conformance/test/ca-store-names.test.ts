import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadCaStore, nameHash } from '@x/ca-store'
import { contextTag, DerCursor, openDer, Tag } from '@x/der'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Chain {
  readonly trust_anchors: readonly string[]
  readonly intermediates: readonly string[]
  readonly leaf: string
}

const described = corpus<{ readonly der: string }>('parse/certs_described.jsonl')
const named = corpus<{ readonly pem: string }>('hostname/certs.jsonl')
const chains = ['pkits', 'limbo-2023', 'openssl-verify'].map((name) => corpus<Chain>(`chains/${name}.jsonl`))

/** Every certificate of the corpora as DER, by the first digits of its SHA-256. */
function certificates(): Map<string, Uint8Array> {
  const pems = [
    ...(named ?? []).map(({ pem }) => pem),
    ...chains.flatMap((rows) => (rows ?? []).flatMap((row) => [...row.trust_anchors, ...row.intermediates, row.leaf])),
  ]
  const ders = [
    ...(described ?? []).map(({ der }) => Buffer.from(der, 'base64')),
    ...pems.map((pem) => withoutTrustSettings(Buffer.from(/CERTIFICATE-----([^-]+)/.exec(pem)?.[1] ?? '', 'base64'))),
  ]
  return new Map(ders.map((der) => [createHash('sha256').update(der).digest('hex').slice(0, 16), der]))
}

function withoutTrustSettings(der: Uint8Array): Uint8Array {
  const cursor = new DerCursor(der)
  cursor.next()
  return cursor.element()
}

/** `openssl rehash` names every certificate of a folder by its subject hash, in one process. */
function opensslHashes(all: ReadonlyMap<string, Uint8Array>): { folder: string; hashes: Map<string, string> } {
  const folder = mkdtempSync(join(tmpdir(), 'x-rehash-'))
  for (const [id, der] of all) {
    const base64 = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')
    writeFileSync(join(folder, `${id}.pem`), `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`)
  }
  try {
    execFileSync('openssl', ['rehash', folder], { stdio: 'ignore' })
  } catch {
    // exit status 1 tells that some file holds nothing it can read
  }
  const links = readdirSync(folder).filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name))
  return {
    folder,
    hashes: new Map(links.map((name) => [readlinkSync(join(folder, name)).slice(0, 16), name.slice(0, 8)])),
  }
}

it.skipIf(described === undefined)('every subject of the corpora has the hash that OpenSSL gives it', () => {
  const all = certificates()
  const { folder, hashes } = opensslHashes(all)
  try {
    expect(hashes.size).toBeGreaterThan(2_000)
    const differences: Difference[] = []
    for (const [id, der] of all) {
      const expected = hashes.get(id)
      if (expected === undefined) continue // OpenSSL reads no certificate there
      const actual = ourHash(der)
      if (actual !== expected) differences.push({ id, expected, actual })
    }
    expectExceptions('ca-store-names', differences)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function ourHash(der: Uint8Array): string {
  try {
    const tbs = openDer(der).enterExpected(Tag.SEQUENCE)
    tbs.optional(contextTag(0, true)) // version
    for (let field = 0; field < 4; field++) tbs.next() // CertificateView would refuse odd ones
    return nameHash(tbs.expect(Tag.SEQUENCE).element())
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

// OpenSSL 3.5, in newer Nodes, refuses some of these times itself.
it.skipIf(described === undefined || !process.version.startsWith('v20.'))(
  'what node:crypto reads as a certificate, a program can trust, and the other way round',
  () => {
    const differences: Difference[] = []
    for (const [id, der] of certificates()) {
      const expected = nodeReads(der)
      const actual = weLoad(der)
      if (expected !== (actual === 'loaded'))
        differences.push({ id, expected: expected ? 'loaded' : 'refused', actual })
    }
    expectExceptions('ca-store-certificates', differences)
  },
)

function nodeReads(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length === der.length
  } catch {
    return false
  }
}

function weLoad(der: Uint8Array): string {
  try {
    return loadCaStore({ certificates: der }).certificates.length === 1 ? 'loaded' : 'refused'
  } catch (error) {
    return innermostCode(error)
  }
}

function innermostCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return innermostCode(error.cause)
  return 'code' in error ? String(error.code) : error.message
}
