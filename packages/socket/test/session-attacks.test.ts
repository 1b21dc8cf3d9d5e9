import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type TlsOptions } from 'node:tls'
import { createCrl } from '@x/crl'
import { createOcspResponse, OcspCache, ocspCacheKey, type OcspStore } from '@x/ocsp'
import { SessionCache, type SessionEntry, type SessionStore } from '@x/session-cache'
import { createAuthority, fingerprint, type IssuedIdentity, writePem } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions } from '../src/index.ts'
import { authority, identity, rejection, scratch, tlsServer, visit } from './support.ts'

const DAY = 86_400_000
const versions = ['TLSv1.2', 'TLSv1.3'] as const
const stranger = createAuthority('stranger')
const strange = stranger.issue(['localhost'])
const elsewhere = authority.issue('elsewhere.example.org')
const clients = [authority.issue({ names: 'a', purpose: 'client' }), authority.issue({ names: 'b', purpose: 'client' })]
const [oneClient, otherClient] = clients.map(({ cert, key }) => ({ cert, key })) as [Pair, Pair]
interface Pair {
  readonly cert: string
  readonly key: string
}

const { file } = scratch()

function list(revoked: readonly IssuedIdentity[] = []): string {
  const { der } = createCrl({ issuer: authority, revoked: revoked.map(({ certificate }) => ({ certificate })) })
  return writePem('X509 CRL', der)
}

/** What node:tls, told to verify, makes of a session under these options. */
async function underNodeTls(session: Uint8Array, options: ConnectionOptions): Promise<unknown> {
  const socket = connectTls({ host: 'localhost', ...options, session: Buffer.from(session) })
  await once(socket, 'secureConnect')
  const result = { authorized: socket.authorized, resumed: socket.isSessionReused() }
  socket.destroy()
  return result
}
const accepted = { authorized: true, resumed: true }

/** The entry that would be found next, left where it is. */
function newest(store: SessionCache): SessionEntry {
  const entry = [...store.entries()].at(-1)?.[1]
  if (entry === undefined) throw new TypeError('no session was kept')
  return entry
}

/** A store that hands out whatever it has to whoever asks: only what is in the entry can tell. */
class CarelessStore extends SessionCache {
  override get(key: string): SessionEntry | undefined {
    const kept = [...this.entries()].at(-1)
    return kept === undefined ? super.get(key) : super.get(kept[0])
  }
}

/** A refusal with this code, or a full handshake that was verified. */
type Outcome = { readonly refused: string } | 'full handshake'

interface Attack {
  readonly what: string
  readonly server?: TlsOptions
  /** What the ticket was earned under, and what is different now. */
  readonly earned?: Partial<ConnectOptions>
  readonly now?: Partial<ConnectOptions>
  /** Done between the two connections. */
  readonly since?: () => void | Promise<void>
  /** The options of node:tls that mean the same as those of now. */
  readonly node: ConnectionOptions
  /** The ticket holds OpenSSL's refusal, so that even node:tls is told. */
  readonly verdictInTicket?: boolean
  readonly outcome: Outcome
}

const pin = fingerprint(identity.certificate)
const otherPin = fingerprint(strange.certificate)

function attacks(version: (typeof versions)[number]): readonly Attack[] {
  const clock = { now: Date.now() }
  const statuses = new OcspCache()
  const [rewritten, added] = [file(list()), file(list([identity]))]
  const ca = authority.ca
  return [
    {
      what: 'another CA',
      now: { ca: stranger.ca },
      node: { ca: stranger.ca },
      outcome: { refused: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
    },
    {
      what: 'no CA at all',
      now: { ca: [] },
      node: { ca: [] },
      outcome: { refused: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
    },
    {
      what: 'a name check, where it was earned without one',
      server: { cert: elsewhere.cert, key: elsewhere.key },
      earned: { verify: { scheme: 'none' } },
      now: { verify: {} },
      node: { ca },
      outcome: { refused: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    },
    {
      what: 'an identity check of the program, where it was earned under one that accepts all',
      server: { cert: elsewhere.cert, key: elsewhere.key },
      earned: { checkServerIdentity: () => undefined },
      now: { checkServerIdentity },
      node: { ca },
      outcome: { refused: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    },
    {
      what: 'another name',
      now: { verify: { name: 'elsewhere.example.org' } },
      node: {
        ca,
        checkServerIdentity: (_host, certificate) => checkServerIdentity('elsewhere.example.org', certificate),
      },
      outcome: { refused: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    },
    {
      what: 'a revocation list added since',
      now: { revocation: { crlFile: added } },
      node: { ca, crl: list([identity]) },
      outcome: { refused: 'CERT_REVOKED' },
    },
    {
      what: 'a revocation list whose file has changed since',
      earned: { revocation: { crlFile: rewritten } },
      since: () => writeFileSync(rewritten, list([identity, strange])),
      node: { ca, crl: list([identity]) },
      outcome: { refused: 'CERT_REVOKED' },
    },
    {
      what: 'a list of node:tls form added since',
      now: { crl: list([identity]) },
      node: { ca, crl: list([identity]) },
      outcome: { refused: 'CERT_REVOKED' },
    },
    {
      what: 'a pin added since',
      now: { verify: { fingerprints: otherPin, forceFingerprints: true } },
      node: { ca, checkServerIdentity: () => new RangeError('not the pinned certificate') },
      outcome: { refused: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' },
    },
    {
      what: 'another pin',
      earned: { verify: { fingerprints: pin, forceFingerprints: true } },
      now: { verify: { fingerprints: otherPin, forceFingerprints: true } },
      node: { ca, checkServerIdentity: () => new RangeError('not the pinned certificate') },
      outcome: { refused: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' },
    },
    {
      what: 'no pin any longer, where the pin alone had accepted the chain',
      server: { cert: strange.cert, key: strange.key },
      earned: { verify: { fingerprints: otherPin } },
      now: { verify: {} },
      node: { ca, rejectUnauthorized: false },
      verdictInTicket: true,
      outcome: { refused: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
    },
    {
      what: 'no callback any longer, where the callback alone had accepted the chain',
      server: { cert: strange.cert, key: strange.key },
      earned: { verify: { callback: () => true } },
      now: { verify: {} },
      node: { ca, rejectUnauthorized: false },
      verdictInTicket: true,
      outcome: { refused: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
    },
    {
      what: 'another client certificate',
      server: { ca, requestCert: true },
      earned: oneClient,
      now: otherClient,
      node: { ca, ...otherClient },
      outcome: 'full handshake',
    },
    {
      what: 'a higher minVersion',
      server: { maxVersion: 'TLSv1.3' },
      earned: { minVersion: 'TLSv1.2', maxVersion: version },
      now: { minVersion: version, maxVersion: 'TLSv1.3' },
      node: { ca, minVersion: version, maxVersion: version },
      outcome: 'full handshake',
    },
    {
      what: 'a clock by which the chain has expired since',
      earned: { now: () => clock.now },
      since: () => {
        clock.now += 3653 * DAY
      },
      node: { ca },
      outcome: { refused: 'CERT_HAS_EXPIRED' },
    },
    {
      what: 'an OCSP answer "revoked" since',
      earned: { revocation: { cache: statuses } },
      since: () => statuses.put(...revokedStatus()),
      node: { ca },
      outcome: { refused: 'CERT_REVOKED' },
    },
    {
      what: "staple: 'must' since",
      now: { revocation: { staple: 'must' } },
      node: { ca },
      outcome: { refused: 'ERR_OCSP_STAPLE_MISSING' },
    },
  ]
}

function revokedStatus(): Parameters<OcspCache['put']> {
  const pair = { certificate: identity.certificate, issuer: authority.certificate }
  const response = createOcspResponse({ signer: authority, responses: [{ ...pair, status: 'revoked' }] })
  return [ocspCacheKey(pair), { kind: 'response', response, expires: Date.now() + DAY }]
}

describe.each(versions)('a ticket of %s', (version) => {
  for (const [store, make, engine] of [
    ['a session cache', (): SessionCache => new SessionCache(), {}],
    ['a store that ignores keys', (): SessionCache => new CarelessStore(), {}],
    ['a session cache of connections that can leave TLS', (): SessionCache => new SessionCache(), { stoppable: true }],
  ] as const)
    describe(`in ${store}`, () => {
      it.each(attacks(version))('resumes nothing under $what', async (attack) => {
        const sessionCache = make()
        const limits = { minVersion: version, maxVersion: version }
        await using server = await tlsServer({ ...limits, ...attack.server })
        const common = { host: 'localhost', port: server.port, ca: authority.ca, sessionCache }
        const before = { ...common, ...limits, ...engine, ...attack.earned }
        await visit(before)
        const { session } = newest(sessionCache)
        await attack.since?.()

        expect(await underNodeTls(session, { ...limits, ...attack.node, port: server.port })).toEqual({
          authorized: attack.verdictInTicket !== true,
          resumed: true,
        })

        const after = { ...before, ...attack.now }
        if (attack.outcome === 'full handshake') {
          const socket = await visit(after)
          expect(socket.sessionReused).toBe(false)
          expect(socket.verification?.outcomes.chain).toMatchObject({ result: 'passed', evidence: { proven: 'now' } })
          expect(socket.verification?.outcomes.name.result).toBe('passed')
        } else
          expect(await rejection(connect(after))).toMatchObject({
            code: attack.outcome.refused,
            check: expect.any(String),
          })
      })
    })

  const poisons: readonly (readonly [string, (entry: SessionEntry) => unknown])[] = [
    ['another chain', (entry) => ({ ...entry, chain: [authority.issue('localhost').raw] })],
    ['the chain of another CA', (entry) => ({ ...entry, chain: [strange.raw] })],
    ['no chain', (entry) => ({ ...entry, chain: [] })],
    ['a chain that is none', (entry) => ({ ...entry, chain: 'chain' })],
    ['a chain of octets that are no certificate', (entry) => ({ ...entry, chain: [entry.session.subarray(0, 40)] })],
    ['another name', (entry) => ({ ...entry, name: 'elsewhere.example.org' })],
    ['no name', (entry) => ({ ...entry, name: undefined })],
    ['no evidence', (entry) => ({ ...entry, evidence: undefined })],
    ['no key in its evidence', (entry) => evident(entry, { key: undefined })],
    ['another key in its evidence', (entry) => evident(entry, { key: 'another' })],
    ["no verdict of OpenSSL's", (entry) => evident(entry, { openssl: undefined })],
    ["a verdict of OpenSSL's that is none", (entry) => evident(entry, { openssl: {} })],
    ["a refusal of OpenSSL's", (entry) => evident(entry, { openssl: { code: 'CERT_REVOKED', reason: null } })],
    ['a time of verification that is none', (entry) => evident(entry, { verifiedAt: Number.NaN })],
    ['a time of verification in the future', (entry) => evident(entry, { verifiedAt: Date.now() + DAY })],
    ['a verification of long ago', (entry) => evident(entry, { verifiedAt: Date.now() - DAY })],
    ['its time over', (entry) => ({ ...entry, expires: Date.now() - 1 })],
    ['a time that is none', (entry) => ({ ...entry, expires: Number.NaN })],
    ['a session that is none', (entry) => ({ ...entry, session: 'session' })],
    ['a session of other octets', (entry) => ({ ...entry, session: Buffer.alloc(entry.session.length) })],
  ]
  function evident(entry: SessionEntry, changed: object): SessionEntry {
    return { ...entry, evidence: { ...(entry.evidence as object), ...changed } }
  }

  it.each([['nothing changed', (entry: SessionEntry): unknown => ({ ...entry })] as const, ...poisons])(
    'that a store hands out with %s',
    async (what, poison) => {
      await using server = await tlsServer({ minVersion: version, maxVersion: version })
      const honest = new SessionCache()
      const options = { host: 'localhost', port: server.port, ca: authority.ca, sessionCache: honest as SessionStore }
      await visit(options)
      const entry = newest(honest)
      expect(await underNodeTls(entry.session, { port: server.port, ca: authority.ca })).toEqual(accepted)
      let asked = 0
      const sessionCache: SessionStore = {
        get: () => (asked++ === 0 ? (poison(entry) as SessionEntry) : undefined),
        add: () => undefined,
        delete: () => undefined,
      }
      const attempt = connect({ ...options, sessionCache })
      if (what === "a refusal of OpenSSL's") {
        expect(await rejection(attempt)).toMatchObject({ code: 'CERT_REVOKED', check: 'chain' })
        return
      }
      const socket = await attempt
      expect([asked > 0, socket.sessionReused]).toEqual([true, what === 'nothing changed'])
      expect(socket.verification?.authorized).toBe(true)
      socket.destroy()
    },
  )

  describe('that is replaced behind the look at it', () => {
    const swaps: readonly (readonly [string, (good: SessionEntry, bad: SessionEntry) => SessionStore['get']])[] = [
      ...[1, 2, 3, 4].map(
        (reads) =>
          [
            `by a getter, after ${reads} reads`,
            (good: SessionEntry, bad: SessionEntry) => {
              let count = 0
              const get = (): Uint8Array => (count++ < reads ? good.session : bad.session)
              return () => Object.defineProperty({ ...good }, 'session', { get }) as SessionEntry
            },
          ] as const,
      ),
      [
        'by a store that reads into one buffer',
        (good, bad) => () => {
          const buffer = Buffer.alloc(Math.max(good.session.length, bad.session.length))
          buffer.set(good.session)
          setImmediate(() => buffer.set(bad.session))
          return Promise.resolve({ ...good, session: buffer.subarray(0, good.session.length) })
        },
      ],
    ]
    it.each(swaps)('%s: nobody else is trusted', async (_how, swap) => {
      const limits = { minVersion: version, maxVersion: version } as const
      await using trusted = await tlsServer(limits)
      await using impostor = await tlsServer({ ...limits, cert: strange.cert, key: strange.key })
      const [good, bad] = [new SessionCache(), new SessionCache()]
      const options = { host: 'localhost', ca: authority.ca, sessionKey: 'one' }
      await visit({ ...options, port: trusted.port, sessionCache: good })
      await visit({ ...options, ca: [authority.ca, stranger.ca], port: impostor.port, sessionCache: bad })
      const sessionCache: SessionStore = {
        get: swap(newest(good), newest(bad)),
        add: () => undefined,
        delete: () => undefined,
      }
      expect(await rejection(connect({ ...options, port: impostor.port, sessionCache }))).toMatchObject({
        check: 'chain',
      })
    })
  })

  it("is offered under staple: 'must' only while a good status is at hand", async () => {
    await using server = await tlsServer({ minVersion: version, maxVersion: version })
    const pair = { certificate: identity.certificate, issuer: authority.certificate }
    const stapled = createOcspResponse({ signer: authority, responses: [{ ...pair, status: 'good' }] })
    server.server.on('OCSPRequest', (_certificate, _issuer, done: (error: null, staple: Buffer) => void) =>
      done(null, Buffer.from(stapled)),
    )
    const answers = new OcspCache()
    const cache: OcspStore = { get: (key) => answers.get(key), put: (key, entry) => answers.put(key, entry) }
    const sessionCache = new SessionCache()
    const revocation = { staple: 'must', cache } as const
    const options = { host: 'localhost', port: server.port, ca: authority.ca, sessionCache, revocation }
    const judged = async (): Promise<unknown> => {
      const { sessionReused, verification } = await visit(options)
      return [sessionReused, verification?.outcomes.revocation]
    }
    expect(await judged()).toMatchObject([false, { result: 'passed', evidence: { by: 'staple' } }])
    expect(await judged()).toMatchObject([true, { result: 'passed', evidence: { by: 'ocsp' } }])
    await visit({ ...options, tickets: 'again' })
    const { session } = newest(sessionCache)
    cache.get = () => undefined
    expect(await underNodeTls(session, { port: server.port, ca: authority.ca })).toEqual(accepted)
    expect(await judged()).toMatchObject([false, { result: 'passed', evidence: { by: 'staple' } }])
    cache.get = () => revokedStatus()[1]
    expect(await rejection(judged())).toMatchObject({ code: 'CERT_REVOKED', check: 'revocation' })
  })

  it('that a store brings from another CA, with evidence made for it, is walked again', async () => {
    await using server = await tlsServer({
      cert: strange.cert,
      key: strange.key,
      minVersion: version,
      maxVersion: version,
    })
    const place = { host: 'localhost', port: server.port }
    const [earned, sample] = [new SessionCache(), new SessionCache()]
    await visit({ ...place, ca: stranger.ca, sessionCache: earned })
    const { chain, session } = newest(earned)
    expect(await underNodeTls(session, { port: server.port, ca: authority.ca })).toEqual(accepted)

    const sessionCache: SessionStore = {
      get: (key) => ({ ...newest(earned), chain, evidence: { key, verifiedAt: Date.now(), openssl: null } }),
      add: (key, entry) => sample.add(key, entry),
      delete: () => undefined,
    }
    const refusal = await rejection(connect({ ...place, ca: authority.ca, sessionCache }))
    expect(refusal).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', check: 'chain' })
    expect(sample.size).toBe(0)
  })
})
