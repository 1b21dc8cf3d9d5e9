import { generateKeyPairSync } from 'node:crypto'
import { nullElement } from '@x/der'
import { writePem } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { listedAnchors, type PathResult, validatePath } from '../../../packages/socket/src/verify/path/index.ts'
import {
  altNames,
  authorityKeyId,
  basicConstraints,
  type CertificateSpec,
  clientAuth,
  dns,
  email,
  type Extension,
  extendedKeyUsage,
  ip,
  type KeyPair,
  keyUsage,
  makeCertificate,
  nameConstraints,
  NOW,
  serverAuth,
  subjectKeyId,
} from '../../../packages/socket/test/path-support.ts'
import { peer, run, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const full = process.env['INTEROP_FULL'] !== undefined
const seed = Number(process.env['INTEROP_SEED'] ?? (full ? Date.now() % 0x7fffffff : 20_260_115))
const hierarchies = full ? 3_000 : 120

const p256 = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const keyPool: readonly KeyPair[] = [
  p256(),
  p256(),
  p256(),
  generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  generateKeyPairSync('ed25519'),
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('rsa', { modulusLength: 1024 }),
]

/** Numbers from a seed (mulberry32), so that a failure can be had again. */
class Dice {
  #state: number
  constructor(state: number) {
    this.#state = state
  }
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x100000000) * n)
  }
  chance(percent: number): boolean {
    return this.below(100) < percent
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

interface Hierarchy {
  /** Leaf first, root last. */
  readonly certificates: readonly Uint8Array[]
  readonly partialChain: boolean
  readonly purpose: 'server' | 'client' | 'any'
  readonly anchor: number
  readonly strict: boolean
  readonly level: number
}

const HOSTS = ['www.example.org', 'example.org', 'www.example.com', 'evil.example.org', 'a.b.example.org']

function extensionsOf(
  dice: Dice,
  role: 'root' | 'intermediate' | 'leaf',
  index: number,
  height: number,
  identified: boolean,
): Extension[] {
  const extensions: Extension[] = []
  const ca = role !== 'leaf'
  if (ca ? !dice.chance(4) : dice.chance(30))
    extensions.push(
      basicConstraints(
        ca ? !dice.chance(4) : dice.chance(10),
        ca && dice.chance(25) ? dice.below(3) : undefined,
        !dice.chance(20),
      ),
    )
  if (dice.chance(ca ? 80 : 60))
    extensions.push(keyUsage(...(ca ? (dice.chance(4) ? [6] : [5, 6]) : [dice.pick([0, 0, 0, 2, 4, 5])])))
  if (dice.chance(ca ? 15 : 60))
    extensions.push(
      extendedKeyUsage(
        ...dice.pick([
          [serverAuth],
          [serverAuth],
          [serverAuth, clientAuth],
          [clientAuth],
          ['2.5.29.37.0'],
          ['1.2.3.4'],
        ]),
      ),
    )
  if (ca && dice.chance(25)) extensions.push(constraintsOf(dice))
  if (dice.chance(role === 'leaf' ? 85 : 3)) {
    const names = Array.from({ length: 1 + dice.below(2) }, () => dns(dice.pick(HOSTS)))
    if (dice.chance(20)) names.push(email(dice.pick(['me@example.org', 'me@example.com'])))
    if (dice.chance(20)) names.push(ip(192, 0, 2 + dice.below(2), 1))
    extensions.push(altNames(...names))
  }
  if (dice.chance(4)) extensions.push({ oid: '1.2.3.4.5', critical: dice.chance(60), value: nullElement() })
  if (identified || dice.chance(60)) extensions.push(subjectKeyId(index + 1))
  if (index < height && (identified || dice.chance(60)))
    extensions.push(authorityKeyId(!identified && dice.chance(4) ? 99 : index + 2))
  return extensions
}

function constraintsOf(dice: Dice): Extension {
  const bases = [
    dns('example.org'),
    dns('.example.org'),
    dns('evil.example.org'),
    email('example.org'),
    email('.example.org'),
    ip(192, 0, 2, 0, 255, 255, 255, 0),
  ]
  const permitted = dice.chance(60) ? [dice.pick(bases), dice.pick(bases)] : []
  const excluded = dice.chance(40) || permitted.length === 0 ? [dice.pick(bases)] : []
  return nameConstraints(permitted, excluded)
}

function build(dice: Dice): Hierarchy {
  const height = 1 + dice.below(4) // root alone above the leaf, or up to three CAs between
  const selfIssued = height > 2 && dice.chance(10) ? 1 + dice.below(height - 1) : -1
  const keys = Array.from({ length: height + 1 }, () => dice.pick(keyPool))
  // a name and a key come once in a path: what is self-issued has a key of its own
  if (selfIssued > 0) keys[selfIssued] = keyPool[(keyPool.indexOf(keys[selfIssued + 1] as KeyPair) + 1) % 3] as KeyPair
  const subjects = Array.from({ length: height + 1 }, (_, i) => `Certificate ${i}`)
  if (selfIssued > 0) subjects[selfIssued] = subjects[selfIssued + 1] as string
  if (dice.chance(50)) subjects[0] = dice.pick(HOSTS)
  const DAY = 86_400_000
  const certificates = keys.map((key, i) => {
    const role = i === 0 ? 'leaf' : i === height ? 'root' : 'intermediate'
    const spec: CertificateSpec = {
      subject: subjects[i] as string,
      issuer: subjects[Math.min(i + 1, height)] as string,
      key,
      signer: dice.chance(3) ? dice.pick(keyPool) : (keys[Math.min(i + 1, height)] as KeyPair),
      serial: i + 1,
      notBefore: dice.chance(4) ? NOW + DAY : NOW - 30 * DAY,
      notAfter: dice.chance(4) ? NOW - DAY : NOW + 30 * DAY,
      digest: dice.chance(5) ? 'sha1' : 'sha256',
      // without identifiers OpenSSL takes what is self-issued for self-signed, or the first of two issuers, and stops there
      extensions: extensionsOf(dice, role, i, height, selfIssued > 0 && Math.abs(i - selfIssued) <= 1),
    }
    return makeCertificate(spec)
  })
  const partialChain = dice.chance(20)
  return {
    certificates,
    partialChain,
    purpose: dice.pick(['server', 'server', 'client', 'any']),
    anchor: partialChain ? 1 + dice.below(height) : height,
    strict: dice.chance(10),
    level: dice.pick([0, 1, 1, 2]),
  }
}

function ours({ certificates, anchor, partialChain, purpose, strict, level }: Hierarchy): PathResult {
  return validatePath({
    chain: certificates.filter((_, i) => i !== anchor && i < certificates.length - 1),
    anchors: listedAnchors([certificates[anchor] as Uint8Array]),
    purpose,
    now: NOW,
    partialChain,
    strict,
    securityLevel: level,
    commonName: 'when-no-dns-name',
  })
}

/** `depth sentence` of each error that `openssl verify` prints; it goes on after many of them, but not after all. */
async function theirs(
  hierarchy: Hierarchy,
  folder: TemporaryFolder,
): Promise<{ ok: boolean; errors: string[]; output: string }> {
  const { certificates, anchor, partialChain, purpose, strict, level } = hierarchy
  const pem = certificates.map((der) => writePem('CERTIFICATE', der))
  const untrusted = pem.filter((_, i) => i > 0 && i !== anchor && i < pem.length - 1)
  const args = [
    'verify',
    '-no-CAfile',
    '-no-CApath',
    '-no-CAstore',
    '-auth_level',
    String(level),
    '-attime',
    String(NOW / 1000),
  ]
  if (partialChain) args.push('-partial_chain')
  if (strict) args.push('-x509_strict')
  if (purpose !== 'any') args.push('-purpose', purpose === 'server' ? 'sslserver' : 'sslclient')
  args.push('-trusted', folder.write('anchor.pem', pem[anchor] as string))
  if (untrusted.length > 0) args.push('-untrusted', folder.write('untrusted.pem', untrusted.join('')))
  const { code, stdout, stderr } = await run(openssl as string, [...args, folder.write('leaf.pem', pem[0] as string)])
  const output = `${stdout}${stderr}`
  const errors = [...output.matchAll(/^error \d+ at (\d+) depth lookup: (.*)$/gm)].map(
    ([, depth, sentence]) => `${depth} ${sentence}`,
  )
  return { ok: code === 0, errors, output }
}

describe.skipIf(openssl === undefined)('openssl verify over random hierarchies', () => {
  it(`${hierarchies} of them, seed ${seed}`, { timeout: hierarchies * 250 + 10_000 }, async () => {
    const folder = new TemporaryFolder()
    const dice = new Dice(seed)
    let accepted = 0
    try {
      for (let n = 0; n < hierarchies; n++) {
        const hierarchy = build(dice)
        const result = ours(hierarchy)
        const verdict = await theirs(hierarchy, folder)
        const found = result.failures.map(({ depth, message }) => `${depth} ${message.split(': ')[0]}`)
        const context = `hierarchy ${n} of seed ${seed}\n${verdict.output}\nours: ${JSON.stringify(result.failures, undefined, 1)}`
        expect(result.failures.length === 0, context).toBe(verdict.ok)
        expect(
          verdict.errors.filter((error) => !found.includes(error)),
          context,
        ).toEqual([])
        if (verdict.ok) accepted++
      }
    } finally {
      folder.dispose()
    }
    expect(accepted).toBeGreaterThan(hierarchies / 50)
  })
})
