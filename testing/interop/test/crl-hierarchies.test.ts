import { createCrl, type Crl, type CrlOptions, isRevoked, parseCrl, type RevocationReason } from '@x/crl'
import { contextTag, element, sequence } from '@x/der'
import { type Authority, createAuthority, type IssuedIdentity, writePem } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { peer, run, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 1)
const COUNT = process.env['INTEROP_FULL'] === '1' ? 500 : 60
const SEED = Number(process.env['INTEROP_SEED'] ?? 8)

/** mulberry32: the same hierarchies for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const URI = 'http://crl.example/partition'
const REASONS: readonly RevocationReason[] = [
  'keyCompromise',
  'caCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aaCompromise',
]
/** OpenSSL applies deltas only where a freshestCRL extension announces them. */
const freshest = {
  oid: '2.5.29.46',
  raw: sequence(
    sequence(
      element(
        contextTag(0, true),
        element(contextTag(0, true), element(contextTag(6), Buffer.from('http://crl.example/delta'))),
      ),
    ),
  ),
}
const unknown = { oid: '1.2.3.4', critical: true, raw: Uint8Array.of(5, 0) }

type Options = Omit<CrlOptions, 'issuer'>
type Lists = (issuer: IssuedIdentity, child: IssuedIdentity, choose: (below: number) => number) => readonly Crl[]

function list({ raw: certificate, privateKey }: IssuedIdentity, options: Options = {}): Crl {
  return createCrl({ issuer: { certificate, privateKey }, thisUpdate: NOW - DAY, nextUpdate: NOW + DAY, ...options })
}
const revoking = ({ raw }: IssuedIdentity, reason: RevocationReason | undefined): Options['revoked'] & object => [
  { serial: 77, date: NOW - 2 * DAY },
  { certificate: raw, date: NOW - 2 * DAY, ...(reason === undefined ? {} : { reason }) },
]
const impostor = (issuer: IssuedIdentity): IssuedIdentity =>
  createAuthority({
    subject: { commonName: issuer.certificate.subject.replace('CN=', '') },
    notBefore: NOW - DAY,
    purpose: 'CA,cRLSign',
  })

/** What the lists of one CA may be like. */
const SITUATIONS: Readonly<Record<string, Lists>> = {
  fresh: (ca) => [list(ca)],
  others: (ca) => [list(ca, { revoked: [{ serial: 1 }, { serial: 2, reason: 'superseded' }] })],
  revoked: (ca, child, choose) => [list(ca, { revoked: revoking(child, [undefined, ...REASONS][choose(9)]) })],
  missing: () => [],
  expired: (ca) => [list(ca, { thisUpdate: NOW - 3 * DAY, nextUpdate: NOW - DAY })],
  future: (ca) => [list(ca, { thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY })],
  foreign: (ca) => [list(impostor(ca))],
  'foreign and own': (ca, child, choose) => [
    list(impostor(ca), { revoked: revoking(child, undefined) }),
    ...(choose(2) ? [list(ca)] : []),
  ],
  'expired and fresh': (ca) => [list(ca, { thisUpdate: NOW - 3 * DAY, nextUpdate: NOW - DAY }), list(ca)],
  'older and newer': (ca, child, choose) => {
    const lists = [list(ca, { thisUpdate: NOW - 2 * DAY }), list(ca, { revoked: revoking(child, 'superseded') })]
    return choose(2) ? lists : lists.reverse()
  },
  released: (ca, child) => [
    list(ca, { thisUpdate: NOW - 2 * DAY, revoked: revoking(child, 'certificateHold') }),
    list(ca),
  ],
  users: (ca, child, choose) => [
    list(ca, { scope: { only: 'users' }, ...(choose(3) === 0 ? { revoked: revoking(child, undefined) } : {}) }),
  ],
  cas: (ca, child, choose) => [
    list(ca, { scope: { only: 'cas' }, ...(choose(3) === 0 ? { revoked: revoking(child, undefined) } : {}) }),
  ],
  'users and cas': (ca) => [list(ca, { scope: { only: 'users' } }), list(ca, { scope: { only: 'cas' } })],
  attributes: (ca) => [list(ca, { scope: { only: 'attributes' } })],
  partition: (ca, child, choose) => [
    list(ca, { scope: { uris: [URI] }, ...(choose(3) === 0 ? { revoked: revoking(child, undefined) } : {}) }),
  ],
  'another partition': (ca, child) => [
    list(ca, { scope: { uris: [`${URI}/2`] }, revoked: revoking(child, undefined) }),
  ],
  partitions: (ca) => [list(ca, { scope: { uris: [`${URI}/2`] } }), list(ca, { scope: { uris: [URI] } })],
  'some reasons': (ca) => [list(ca, { scope: { reasons: ['keyCompromise', 'superseded'] } })],
  'all reasons': (ca, child, choose) => [
    list(ca, { scope: { reasons: REASONS.slice(0, 4) } }),
    list(ca, {
      scope: { reasons: REASONS.slice(4) },
      ...(choose(3) === 0 ? { revoked: revoking(child, 'certificateHold') } : {}),
    }),
  ],
  'critical extension': (ca) => [list(ca, { extensions: [unknown] })],
  'critical entry extension': (ca) => [list(ca, { revoked: [{ serial: 5, extensions: [unknown] }] })],
  delta: (ca, child, choose) => [
    list(ca, { number: 5, extensions: [freshest] }),
    list(ca, { number: 6, baseNumber: 5, ...(choose(2) ? { revoked: revoking(child, 'superseded') } : {}) }),
  ],
  'delta releases': (ca, child) => [
    list(ca, { number: 5, extensions: [freshest], revoked: revoking(child, 'certificateHold') }),
    list(ca, { number: 6, baseNumber: 5, revoked: revoking(child, 'removeFromCrl') }),
  ],
  'delta without a base': (ca) => [list(ca, { number: 6, baseNumber: 5 })],
  'delta to a later base': (ca, child) => [
    list(ca, { number: 5, extensions: [freshest], revoked: revoking(child, 'certificateHold') }),
    list(ca, { number: 8, baseNumber: 7, revoked: revoking(child, 'removeFromCrl') }),
  ],
  'turned bit': (ca) => {
    const der = list(ca).der.slice()
    der[der.length - 4] = (der[der.length - 4] as number) ^ 1
    return [parseCrl(der)]
  },
}

interface Hierarchy {
  readonly situations: readonly string[]
  /** Leaf first, anchor last. */
  readonly path: readonly IssuedIdentity[]
  readonly crls: readonly Crl[]
}

function hierarchy(choose: (below: number) => number, number: number): Hierarchy {
  const shared = { notBefore: NOW - 30 * DAY, ...(choose(2) ? { crlUris: [URI] } : {}) }
  const path: IssuedIdentity[] = []
  let ca: Authority = createAuthority({
    subject: { commonName: `Root ${number}` },
    notBefore: NOW - 30 * DAY,
    purpose: 'CA,cRLSign',
  })
  path.unshift(ca)
  for (let depth = choose(3); depth > 0; depth--) {
    const mute = choose(20) === 0
    ca = ca.issue({
      ca: true,
      subject: { commonName: `CA ${number}.${depth}` },
      ...(mute ? { keyUsage: ['keyCertSign'] } : { purpose: 'CA,cRLSign' }),
      ...shared,
    })
    path.unshift(ca)
  }
  path.unshift(ca.issue({ names: ['leaf.example'], ...shared }))
  const names = Object.keys(SITUATIONS)
  const situations = path
    .slice(1)
    .map(() => (choose(3) > 0 ? (['fresh', 'others'][choose(2)] as string) : (names[choose(names.length)] as string)))
  // Something happens in every hierarchy, or it would mostly be said that all is well.
  situations[choose(situations.length)] = names[choose(names.length)] as string
  const crls = situations.flatMap((name, i) =>
    (SITUATIONS[name] as Lists)(path[i + 1] as IssuedIdentity, path[i] as IssuedIdentity, choose),
  )
  for (let i = crls.length - 1; i > 0; i--) {
    const j = choose(i + 1)
    ;[crls[i], crls[j]] = [crls[j] as Crl, crls[i] as Crl]
  }
  return { situations, path, crls }
}

/** The status of every certificate, leaf first; of the anchor too, by its own lists, since OpenSSL asks for it. */
function ours({ path, crls }: Hierarchy): string[] {
  return path.map(({ raw }, i) => {
    const above = path.slice(Math.min(i + 1, path.length - 1)).map((identity) => identity.raw)
    const status = isRevoked(raw, above[0] as Uint8Array, {
      crls: crls.map(({ der }) => der),
      chain: above.slice(1),
      now: NOW,
    })
    return status.status === 'unknown' ? status.code : status.status
  })
}

/** 'ok', or the number of OpenSSL's error and the depth it stands at. */
async function theirs(
  program: string,
  { path, crls }: Hierarchy,
  folder: TemporaryFolder,
): Promise<{ error: number; depth: number } | 'ok'> {
  const untrusted = path.slice(1, -1).map(({ raw }) => certificatePem(raw))
  const args = ['verify', '-crl_check_all', '-extended_crl', '-use_deltas', '-attime', String(NOW / 1000)]
  args.push('-CAfile', folder.write('root.pem', certificatePem((path.at(-1) as IssuedIdentity).raw)))
  if (untrusted.length > 0) args.push('-untrusted', folder.write('untrusted.pem', untrusted.join('')))
  if (crls.length > 0) args.push('-CRLfile', folder.write('crls.pem', crls.map((crl) => crl.toPem()).join('')))
  const { code, stderr } = await run(program, [
    ...args,
    folder.write('leaf.pem', certificatePem((path[0] as IssuedIdentity).raw)),
  ])
  if (code === 0) return 'ok'
  const [, error, depth] = /error (\d+) at (\d+) depth/.exec(stderr) ?? []
  if (error === undefined) throw new Error(`openssl verify: ${stderr}`)
  return { error: Number(error), depth: Number(depth) }
}

function certificatePem(der: Uint8Array): string {
  return writePem('CERTIFICATE', der)
}

const CERT_REVOKED = 23

describe.skipIf(openssl === undefined)('openssl verify -crl_check_all', () => {
  it(`agrees about ${COUNT} random hierarchies (seed ${SEED})`, { timeout: 300_000 }, async () => {
    using folder = new TemporaryFolder()
    const choose = random(SEED)
    const differences: unknown[] = []
    const tally = { good: 0, refused: 0, revoked: 0 }
    for (let number = 0; number < COUNT; number++) {
      const one = hierarchy(choose, number)
      const found = ours(one)
      const verdict = await theirs(openssl as string, one, folder)
      const good = found.every((status) => status === 'good')
      tally[good ? 'good' : 'refused']++
      if (found.includes('revoked')) tally.revoked++
      const same =
        good === (verdict === 'ok') &&
        (verdict === 'ok' || verdict.error !== CERT_REVOKED || found[verdict.depth] === 'revoked')
      if (!same) differences.push({ number, situations: one.situations, found, verdict })
    }
    console.log(JSON.stringify(tally))
    expect(differences, `seed ${SEED}`).toEqual([])
    for (const count of Object.values(tally)) expect(count).toBeGreaterThan(COUNT / 20)
  })
})
