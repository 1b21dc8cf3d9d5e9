import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { once } from 'node:events'
import tls, { type ConnectionOptions, createSecureContext, type SecureVersion, type TlsOptions } from 'node:tls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  EncryptedSessionStore,
  SessionCache,
  type SessionEntry,
  type SessionStore,
  sessionIdContext,
} from '../src/index.ts'
import { policyKey } from '../src/policy.ts'
import { connect, type PeerEvidence, readTicket, sessionPeer, type SharingOptions } from '../src/tls.ts'
import { MemoryByteStore } from './entries.ts'
import { makeCrl, TestServer, visit } from './peers.ts'

const ca = new TestCa()
const stranger = new TestCa()
const identity = ca.server('localhost', 'second.test')
const pem = { cert: identity.cert, key: identity.key }
const clients = [ca.client('one'), ca.client('two')] as const
const asClient = (index: 0 | 1): { cert: string; key: string } => ({
  cert: clients[index].cert,
  key: clients[index].key,
})
const accept = (): undefined => undefined
const pin = (): Error => Object.assign(new Error('the pin does not match'), { code: 'ERR_PIN' })

describe.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])('connect over %s', (version) => {
  let server: TestServer
  let base: ConnectionOptions

  beforeAll(async () => {
    server = new TestServer({
      ...pem,
      ca: ca.ca,
      requestCert: true,
      rejectUnauthorized: false,
      maxVersion: version,
      minVersion: version,
    })
    base = { host: '127.0.0.1', port: await server.listen(), servername: 'localhost', ca: ca.ca }
  })
  afterAll(async () => server[Symbol.asyncDispose]())
  afterEach(() => void (server.resumed.length = 0))

  it('resumes under equal options, says who the peer is, and verifies nothing twice by accident', async () => {
    const store = new SessionCache<PeerEvidence>()
    const first = await visit(base, { store })
    const second = await visit({ ...base, ca: [Buffer.from(ca.ca)], timeout: 5000 }, { store })
    expect([first.resumed, second.resumed, second.text]).toEqual([false, true, 'hi'])
    expect(server.resumed).toEqual([false, true])
    for (const [{ socket }, resumed] of [
      [first, false],
      [second, true],
    ] as const) {
      const peer = sessionPeer(socket)
      expect(peer?.resumed).toBe(resumed)
      expect(peer?.name).toBe('localhost')
      expect(peer?.chain.map(({ fingerprint256 }) => fingerprint256)).toEqual([
        identity.certificate.fingerprint256,
        ca.root.certificate.fingerprint256,
      ])
    }
    expect(sessionPeer(second.socket)?.verifiedAt).toEqual(sessionPeer(first.socket)?.verifiedAt)
    expect(sessionPeer({})).toBeUndefined()
  })

  it('options changed while the store is asked count for neither key nor connection', async () => {
    const store = new SessionCache<PeerEvidence>()
    const changed: ConnectionOptions = { ...base, ca: stranger.ca }
    const first = visit(changed, { store })
    changed.ca = ca.ca
    await expect(first).rejects.toMatchObject({ code: 'SELF_SIGNED_CERT_IN_CHAIN' })
    expect(store.size).toBe(0)
    await expect(visit({ ...base, ca: stranger.ca }, { store })).rejects.toMatchObject({
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    })
  })

  /** Tickets of a server on node:tls are never renewed: a full handshake brings two of them. */
  it.each([
    { renews: true, tickets: 'once', resumed: 19, different: version === 'TLSv1.3' ? 19 : undefined },
    {
      renews: false,
      tickets: 'once',
      resumed: version === 'TLSv1.3' ? 13 : 19,
      different: version === 'TLSv1.3' ? 13 : 1,
    },
    { renews: false, tickets: 'again', resumed: 19, different: 1 },
  ] as const)(
    'resumes $resumed of 20 connections one after the other: %j',
    async ({ renews, tickets, resumed, different }) => {
      const taken: SessionEntry[] = []
      const cache = new SessionCache<PeerEvidence>()
      const store: SessionStore<PeerEvidence> = {
        add: (key, entry) => cache.add(key, entry),
        delete: (key, entry) => cache.delete(key, entry),
        get: (key) => {
          const entry = cache.get(key)
          if (entry !== undefined) taken.push(entry)
          return entry
        },
      }
      await using own = new TestServer({ ...pem, maxVersion: version, minVersion: version }, { renews })
      const options = { ...base, port: await own.listen() }
      for (let i = 0; i < 20; i++) await visit(options, { store, tickets })
      expect(own.resumed.filter(Boolean)).toHaveLength(resumed)
      const sessions = new Set(taken.map(({ session }) => Buffer.from(readTicket(session)?.id ?? '').toString('hex')))
      if (different !== undefined) expect(sessions.size).toBe(different)
    },
  )

  /** The session is earned under the first options; the second must not come in on it. */
  const attacks: readonly (readonly [string, () => ConnectionOptions, () => ConnectionOptions, string | undefined])[] =
    [
      ['another ca', () => ({}), () => ({ ca: stranger.ca }), 'SELF_SIGNED_CERT_IN_CHAIN'],
      ['a larger ca', () => ({ ca: [ca.ca, stranger.ca] }), () => ({}), undefined],
      [
        'no check of the name',
        () => ({ servername: 'wrong.test', checkServerIdentity: accept }),
        () => ({ servername: 'wrong.test' }),
        'ERR_TLS_CERT_ALTNAME_INVALID',
      ],
      ['another name', () => ({}), () => ({ servername: 'wrong.test' }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
      ['another name of the same certificate', () => ({}), () => ({ servername: 'second.test' }), undefined],
      [
        'a CRL that revokes the leaf',
        () => ({}),
        () => ({ crl: makeCrl(ca.root, [identity.certificate]) }),
        'CERT_REVOKED',
      ],
      ['a CRL that does not', () => ({}), () => ({ crl: makeCrl(ca.root, []) }), undefined],
      ['a pin added since', () => ({}), () => ({ checkServerIdentity: pin }), 'ERR_PIN'],
      ['a client certificate changed since', () => asClient(0), () => asClient(1), undefined],
      ['a client certificate taken away', () => asClient(0), () => ({}), undefined],
      [
        'a lower minVersion',
        () => ({ minVersion: 'TLSv1.2' }),
        () => ({ minVersion: 'TLSv1.3' }),
        version === 'TLSv1.2' ? 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' : undefined,
      ],
      [
        'other ciphers',
        () => ({}),
        () => ({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256' }),
        undefined,
      ],
      ['other ALPN protocols', () => ({}), () => ({ ALPNProtocols: ['h2'] }), undefined],
      ['nothing verified', () => ({ rejectUnauthorized: false }), () => ({}), undefined],
      [
        'nothing verified, and a ca that would refuse',
        () => ({ rejectUnauthorized: false, ca: stranger.ca }),
        () => ({ ca: stranger.ca }),
        'SELF_SIGNED_CERT_IN_CHAIN',
      ],
      ['nothing to be verified any more', () => ({}), () => ({ rejectUnauthorized: false }), undefined],
      ['a context of the caller', () => ({ secureContext: createSecureContext({ ca: ca.ca }) }), () => ({}), undefined],
      ['a staple asked for', () => ({}), () => ({ requestOCSP: true }) as ConnectionOptions, undefined],
      ['an option nobody knows', () => ({}), () => ({ strictness: 'high' }) as ConnectionOptions, undefined],
    ]
  it.each(attacks)('does not resume a session earned under %s', async (_what, earned, offered, refusal) => {
    const store = new SessionCache<PeerEvidence>()
    const first = { ...base, ...earned() }
    await visit(first, { store })
    const second = { ...base, ...offered() }
    if (refusal === undefined) {
      expect((await visit(second, { store })).resumed).toBe(false)
    } else {
      await expect(visit(second, { store })).rejects.toMatchObject({ code: refusal })
    }
    expect(server.resumed).not.toContain(true)
  })

  it('runs the identity check again: a function that changes its mind gets its way', async () => {
    const store = new SessionCache<PeerEvidence>()
    const seen: string[] = []
    let verdict: Error | undefined
    const checkServerIdentity = (host: string, certificate: tls.PeerCertificate): Error | undefined => {
      seen.push(`${host} ${certificate.subjectaltname ?? ''} ${String('issuerCertificate' in certificate)}`)
      return verdict
    }
    await visit({ ...base, checkServerIdentity }, { store })
    expect((await visit({ ...base, checkServerIdentity }, { store })).resumed).toBe(true)
    expect(seen).toEqual(Array.from({ length: 2 }, () => 'localhost DNS:localhost, DNS:second.test true'))
    verdict = pin()
    await expect(visit({ ...base, checkServerIdentity }, { store })).rejects.toMatchObject({ code: 'ERR_PIN' })
    expect(server.resumed.filter(Boolean)).toHaveLength(1)
  })

  it.each<[string, () => unknown]>([
    ['a promise', async () => Promise.resolve()],
    ['null', () => null],
    ['true', () => true],
    [
      'a throw',
      () => {
        throw new Error('no')
      },
    ],
  ])('does not take %s from an identity check for a yes', async (_what, answer) => {
    const store = new SessionCache<PeerEvidence>()
    let check: () => unknown = accept
    const options = { ...base, checkServerIdentity: (() => check()) as () => undefined }
    await visit(options, { store })
    const [, second] = [...store.entries()]
    if (second !== undefined) store.delete(...second) // of two tickets, so that the check is asked once before the handshake
    check = () => {
      check = accept // as before for the handshake itself
      return answer()
    }
    expect((await visit(options, { store })).resumed).toBe(false)
  })

  it.each<[string, number, Partial<SharingOptions>]>([
    ['longer than maxAge after the verification', 61_000, { maxAge: 60_000 }],
    ['when the clock has gone back to before it', -5000, {}],
    ['when the clock answers NaN', Number.NaN, {}],
  ])('does not resume %s', async (_when, later, sharing) => {
    const store = new SessionCache<PeerEvidence>({ now: () => 0 })
    await visit(base, { ...sharing, store })
    expect((await visit(base, { ...sharing, store, now: () => Date.now() + later })).resumed).toBe(false)
  })

  it('does not resume once a certificate of the chain has expired', async () => {
    const brief = ca.issue(['localhost'], { notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 3_600_000 })
    await using own = new TestServer({ cert: brief.cert, key: brief.key, maxVersion: version, minVersion: version })
    const options = { ...base, port: await own.listen() }
    const store = new SessionCache<PeerEvidence>({ now: () => 0 })
    await visit(options, { store })
    expect((await visit(options, { store, now: () => Date.now() + 1_800_000 })).resumed).toBe(true)
    expect((await visit(options, { store, now: () => Date.now() + 4_000_000 })).resumed).toBe(false)
  })

  it('does not let a chain of resumptions renew the verification', async () => {
    const store = new SessionCache<PeerEvidence>({ now: () => 0 })
    let later = 0
    const sharing: SharingOptions = { store, maxAge: 60_000, now: () => Date.now() + later }
    const resumed: boolean[] = []
    for (later of [0, 25_000, 50_000, 75_000]) resumed.push((await visit(base, sharing)).resumed)
    expect(resumed).toEqual([false, true, true, false])
  })

  it('does not offer what a store holds of another server or name', async () => {
    const store = new SessionCache<PeerEvidence>()
    await visit(base, { store })
    const [[key, entry]] = [...store.entries()].slice(-1) as [[string, SessionEntry<PeerEvidence>]]
    const wrong = stranger.server('elsewhere.test').certificate.raw
    const bad: Partial<SessionEntry<PeerEvidence>>[] = [
      { name: 'elsewhere.test' },
      { name: undefined },
      { chain: [] },
      { chain: [wrong] },
      { chain: [Uint8Array.of(1)] },
      { evidence: {} as PeerEvidence },
      { evidence: undefined as unknown as PeerEvidence },
    ]
    for (const change of bad) {
      const poisoned = new SessionCache<PeerEvidence>()
      poisoned.add(key, { ...entry, ...change })
      expect((await visit(base, { store: poisoned })).resumed).toBe(false)
      expect([...poisoned.entries()].every(([, kept]) => kept.name === 'localhost' && kept.chain.length === 2)).toBe(
        true,
      )
    }
  })

  it('shares through an encrypted store, and keeps sessions of a callback at home', async () => {
    const outside = new MemoryByteStore()
    const key = randomBytes(32)
    const stores = [0, 1].map(() => new EncryptedSessionStore<PeerEvidence>({ store: outside, key })) as [
      EncryptedSessionStore<PeerEvidence>,
      EncryptedSessionStore<PeerEvidence>,
    ]
    await visit(base, { store: stores[0] })
    expect((await visit(base, { store: stores[1] })).resumed).toBe(true)
    const names = outside.lists.size
    await visit({ ...base, checkServerIdentity: accept }, { store: stores[0] })
    expect(outside.lists.size).toBe(names)
    expect((await visit({ ...base, checkServerIdentity: accept }, { store: stores[1] })).resumed).toBe(false)
    expect((await visit({ ...base, checkServerIdentity: accept }, { store: stores[0] })).resumed).toBe(true)
  })

  it('connects without a session where the store fails, and says so', async () => {
    const failures: unknown[] = []
    const broken = async (): Promise<never> => Promise.reject(new Error('gone'))
    const store: SessionStore<PeerEvidence> = { get: broken, add: broken, delete: broken }
    expect((await visit(base, { store, onStoreError: (error) => failures.push(error) })).resumed).toBe(false)
    expect(failures.length).toBeGreaterThanOrEqual(2)
  })

  it('keeps sessions too large for an event', async () => {
    const names = ['localhost', ...Array.from({ length: 400 }, (_, i) => `a-rather-long-name-${i}.example.org`)]
    const large = ca.server(...names)
    const other = new TestServer({ cert: large.cert, key: large.key, maxVersion: version, minVersion: version })
    const port = await other.listen()
    const store = new SessionCache<PeerEvidence>()
    await visit({ ...base, port }, { store })
    expect([...store.entries()].some(([, { session }]) => session.length > 10_240)).toBe(true)
    expect((await visit({ ...base, port }, { store })).resumed).toBe(true)
    await other[Symbol.asyncDispose]()
  })
})

describe('what the program can change about Node', () => {
  const options: TlsOptions = { ...pem, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }

  async function earnThen(change: () => () => void, extra: ConnectionOptions = {}): Promise<boolean> {
    const server = new TestServer(options)
    const base: ConnectionOptions = {
      host: '127.0.0.1',
      port: await server.listen(),
      servername: 'localhost',
      ca: ca.ca,
      ...extra,
    }
    const store = new SessionCache<PeerEvidence>()
    await visit(base, { store })
    expect((await visit(base, { store })).resumed).toBe(true)
    const undo = change()
    try {
      return (await visit(base, { store })).resumed
    } finally {
      undo()
      await server[Symbol.asyncDispose]()
    }
  }

  it.each(['DEFAULT_MIN_VERSION', 'DEFAULT_CIPHERS', 'DEFAULT_ECDH_CURVE'] as const)('tls.%s counts', async (name) => {
    const before = tls[name]
    const values = {
      DEFAULT_MIN_VERSION: 'TLSv1.1',
      DEFAULT_CIPHERS: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      DEFAULT_ECDH_CURVE: 'prime256v1',
    }
    expect(
      await earnThen(() => (Reflect.set(tls, name, values[name]), () => void Reflect.set(tls, name, before))),
    ).toBe(false)
  })

  it('tls.checkServerIdentity counts', async () => {
    const before = tls.checkServerIdentity
    expect(
      await earnThen(
        () => (
          Reflect.set(tls, 'checkServerIdentity', accept), () => void Reflect.set(tls, 'checkServerIdentity', before)
        ),
      ),
    ).toBe(false)
  })

  const changeable = tls as unknown as {
    setDefaultCACertificates?: (list: readonly string[]) => void
    getCACertificates?: (type: 'default') => string[]
  }
  it.skipIf(changeable.setDefaultCACertificates === undefined)('tls.setDefaultCACertificates counts', async () => {
    const before = changeable.getCACertificates?.('default') ?? []
    changeable.setDefaultCACertificates?.([...before, ca.ca])
    const undo = (): void => changeable.setDefaultCACertificates?.(before)
    try {
      await expect(earnThen(() => (undo(), undo), { ca: undefined })).rejects.toMatchObject({
        code: 'SELF_SIGNED_CERT_IN_CHAIN',
      })
    } finally {
      undo()
    }
  })

  it.each([[undefined], [null], ['']])('the default CAs are part of the key where ca is %j', (given) => {
    const { getCACertificates } = changeable
    const keyWith = (list: string[], options: object): string => {
      Reflect.set(tls, 'getCACertificates', () => list)
      return policyKey(options)
    }
    try {
      expect(keyWith(['one'], { ca: given })).not.toBe(keyWith(['two'], { ca: given }))
      expect(keyWith(['one'], { ca: ca.ca })).toBe(keyWith(['two'], { ca: ca.ca }))
    } finally {
      if (getCACertificates === undefined) Reflect.deleteProperty(tls, 'getCACertificates')
      else Reflect.set(tls, 'getCACertificates', getCACertificates)
    }
  })

  it('NODE_TLS_REJECT_UNAUTHORIZED=0 shares nothing', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    const undo = (): void => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
    expect(await earnThen(() => ((process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'), undo))).toBe(false)
  })
})

describe('a server with sessionIdContext', () => {
  const ticketKeys = randomBytes(48)
  const strict = { ...pem, ca: ca.ca, requestCert: true, rejectUnauthorized: true }
  const open = { ...pem, requestCert: false, rejectUnauthorized: false }

  it.each<[string, TlsOptions, TlsOptions, ConnectionOptions]>([
    ['a host without client certificates', open, strict, {}],
    ['another client CA', { ...strict, ca: stranger.ca, rejectUnauthorized: false }, strict, asClient(0)],
    [
      'another host',
      { ...strict, servername: 'a' } as TlsOptions,
      { ...strict, servername: 'b' } as TlsOptions,
      asClient(0),
    ],
  ])('does not resume a ticket earned at %s', async (_where, first, second, client) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const servers = [first, second].map(
        (options) =>
          new TestServer({ ...options, ticketKeys, maxVersion, sessionIdContext: sessionIdContext({ ...options }) }),
      ) as [TestServer, TestServer]
      const [one, two] = [await servers[0].listen(), await servers[1].listen()]
      let session: Buffer | undefined
      const raw = async (port: number): Promise<void> => {
        const socket = tls.connect({
          host: '127.0.0.1',
          port,
          servername: 'localhost',
          ca: ca.ca,
          ...client,
          ...(session === undefined ? {} : { session }),
        })
        socket.on('session', (ticket: Buffer) => (session = ticket))
        socket.on('error', () => undefined)
        socket.resume()
        await new Promise((resolve) => socket.once('close', resolve))
      }
      await raw(one)
      expect(session).toBeDefined()
      await raw(two)
      expect(servers[1].resumed).not.toContain(true)
      for (const server of servers) await server[Symbol.asyncDispose]()
    }
  })
})

describe('misuse and slowness', () => {
  const store = new SessionCache<PeerEvidence>()
  it.each<[unknown, unknown, string, RegExp]>([
    [{ host: 'a', session: Buffer.from('x') }, { store }, 'ERR_INVALID_ARG_VALUE', /session/],
    [{ port: 443 }, { store }, 'ERR_INVALID_ARG_VALUE', /servername/],
    [{ path: '/socket', servername: '' }, { store }, 'ERR_INVALID_ARG_VALUE', /servername/],
    [{ host: 'a' }, {}, 'ERR_INVALID_ARG_TYPE', /store/],
    [{ host: 'a' }, { store: {} }, 'ERR_INVALID_ARG_TYPE', /store/],
    [{ host: 'a' }, { store, maxage: 1 }, 'ERR_INVALID_ARG_VALUE', /maxage/],
    [{ host: 'a' }, { store, maxAge: 8 * 86_400_000 }, 'ERR_INVALID_ARG_VALUE', /maxAge/],
    [{ host: 'a' }, { store, tickets: 'twice' }, 'ERR_INVALID_ARG_VALUE', /tickets/],
    [{ host: 'a' }, { store, timeout: -1 }, 'ERR_INVALID_ARG_VALUE', /timeout/],
    [{ host: 'a', checkServerIdentity: Promise.resolve() }, { store }, 'ERR_SESSION_PARAMETER', /checkServerIdentity/],
  ])('refuses %j with %j', async (options, sharing, code, message) => {
    await expect(connect(options as ConnectionOptions, sharing as SharingOptions)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  it('gives up after its time, when it is told to, and when the server goes away', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = silent.address() as { port: number }
    const options = { host: '127.0.0.1', port: address.port }
    await expect(connect(options, { store, timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_SESSION_CONNECT_TIMEOUT',
    })
    const controller = new AbortController()
    const reason = new Error('not needed any more')
    const connecting = connect(options, { store, signal: controller.signal })
    setImmediate(() => controller.abort(reason))
    await expect(connecting).rejects.toBe(reason)
    await expect(connect(options, { store, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    silent.removeAllListeners('connection').on('connection', (socket) => socket.end())
    await expect(connect(options, { store })).rejects.toMatchObject({ code: 'ECONNRESET' })
    silent.close()
  })
})
