import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCrl } from '@x/crl'
import { createOcspResponse, OcspCache, ocspCacheKey } from '@x/ocsp'
import { SessionCache, type SessionEntry, type SessionStore } from '@x/session-cache'
import { createAuthority, fingerprint, type IssuedIdentity, writePem } from '@x/utils'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { connect } from '../src/index.ts'
import { authority, identity, rejection, tlsServer, type TestServer, visit } from './support.ts'

const ca = authority.ca
const DAY = 86_400_000
const must = authority.issue({ names: 'localhost', mustStaple: true })
const folder = mkdtempSync(join(tmpdir(), 'x-socket-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The newer of two answers counts: "good" is an hour older, however long a test takes between the two. */
function status(word: 'good' | 'revoked', { certificate }: IssuedIdentity): Buffer {
  const responses = [{ certificate, issuer: authority.certificate, status: word }]
  const producedAt = word === 'good' ? Date.now() - 3_600_000 : Date.now()
  return Buffer.from(createOcspResponse({ signer: authority, responses, producedAt }))
}

/** A server that staples "good" for its certificate. */
async function stapling(served: IssuedIdentity): Promise<TestServer> {
  const server = await tlsServer({ cert: served.cert, key: served.key })
  server.server.on('OCSPRequest', (_certificate, _issuer, done: (error: null, staple: Buffer) => void) =>
    done(null, status('good', served)),
  )
  return server
}

/** Hands out what another store has, changed. */
function changing(store: SessionStore, change: (entry: SessionEntry) => unknown): SessionStore {
  return {
    async get(key) {
      const entry = await store.get(key)
      return entry === undefined ? undefined : (change(entry) as SessionEntry)
    },
    add: (key, entry) => store.add(key, entry),
    delete: () => undefined,
  }
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a resumed session, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version, host: 'localhost', ca } as const

  it.each([
    ['must', identity, { staple: 'must' as const }],
    ['a must-staple certificate', must, {}],
    ['hard', identity, { failure: 'hard' as const }],
  ])('under %s is judged from the cache, and not offered without a status there', async (_what, served, policy) => {
    await using server = await stapling(served)
    const cache = new OcspCache()
    const options = {
      ...limits,
      port: server.port,
      sessionCache: new SessionCache(),
      revocation: { ...policy, cache },
    }
    await visit(options)
    const second = await visit(options)
    expect(second.sessionReused).toBe(true)
    expect(second.verification?.outcomes.revocation).toMatchObject({ result: 'passed', evidence: { by: 'ocsp' } })
    cache.clear()
    const third = await visit(options)
    expect(third.sessionReused).toBe(false)
    expect(third.verification?.outcomes.revocation).toMatchObject({ result: 'passed', evidence: { by: 'staple' } })
    cache.put(ocspCacheKey({ certificate: served.certificate, issuer: authority.certificate }), {
      kind: 'response',
      response: status('revoked', served),
      expires: Date.now() + DAY,
    })
    expect(await rejection(connect(options))).toMatchObject({ code: 'CERT_REVOKED' })
  })

  it('is not offered once a list revokes the certificate, under the name of the same file', async () => {
    await using server = await tlsServer()
    const crlFile = join(folder, `${version}.pem`)
    const write = (...revoked: IssuedIdentity[]): void => {
      const list = createCrl({
        issuer: authority,
        revoked: revoked.map(({ certificate }) => ({ certificate })),
      })
      writeFileSync(crlFile, writePem('X509 CRL', list.der))
    }
    write()
    const options = { ...limits, port: server.port, sessionCache: new SessionCache(), revocation: { crlFile } }
    await visit(options)
    expect((await visit(options)).sessionReused).toBe(true)
    write(identity)
    expect(await rejection(connect(options))).toMatchObject({ code: 'CERT_REVOKED' })
  })

  it('that a pin had let pass comes back as that, not as a good chain', async () => {
    await using server = await tlsServer()
    const verify = { fingerprints: fingerprint(identity.certificate) }
    const sessionCache = new SessionCache()
    const options = { ...limits, port: server.port, ca: createAuthority('stranger').ca, verify, sessionCache }
    await visit(options)
    const second = await visit(options)
    expect(second.sessionReused).toBe(true)
    expect(second.verification?.outcomes.chain).toMatchObject({ result: 'waived', waiver: { by: 'fingerprint' } })
    expect(() => second.ocspResolver()).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }))
  })

  it('is put to the callback again', async () => {
    const expired = authority.issue({ names: 'localhost', notBefore: Date.now() - 9 * DAY, notAfter: Date.now() + DAY })
    await using server = await tlsServer({ cert: expired.cert, key: expired.key })
    let answer = true
    const callback = vi.fn(() => answer)
    const options = { ...limits, port: server.port, verify: { callback }, sessionCache: new SessionCache() }
    await visit(options)
    const second = await visit(options)
    expect([second.sessionReused, callback.mock.calls.length]).toEqual([true, 4])
    answer = false
    expect(await rejection(connect(options))).toMatchObject({ code: 'ERR_SECURE_SOCKET_CALLBACK_REFUSED' })
  })

  it.each<[string, (entry: SessionEntry) => unknown]>([
    ['of another name', (entry) => ({ ...entry, name: 'other' })],
    ['without a chain', (entry) => ({ ...entry, chain: [] })],
    ['with a chain of nonsense', (entry) => ({ ...entry, chain: [Buffer.from('nonsense')] })],
    ['without the verdict', (entry) => ({ ...entry, evidence: { verifiedAt: Date.now() } })],
    ['with a verdict of another form', (entry) => ({ ...entry, evidence: { verifiedAt: Date.now(), openssl: {} } })],
    ['verified in the future', (entry) => ({ ...entry, evidence: { verifiedAt: Date.now() + DAY, openssl: null } })],
    ['verified days ago', (entry) => ({ ...entry, evidence: { verifiedAt: Date.now() - 2 * DAY, openssl: null } })],
    ['that has expired', (entry) => ({ ...entry, expires: Date.now() - 1 })],
    ['that is none', () => 'entry'],
    [
      'of a certificate that has expired since',
      (entry) => ({
        ...entry,
        chain: [
          authority.issue({ names: 'localhost', notBefore: Date.now() - 9 * DAY, notAfter: Date.now() - DAY }).raw,
        ],
      }),
    ],
  ])('%s is not offered', async (_what, change) => {
    await using server = await tlsServer()
    const options = { ...limits, port: server.port, sessionCache: changing(new SessionCache(), change) }
    await visit(options)
    expect((await visit(options)).sessionReused).toBe(false)
  })

  it('handed out as it was kept is', async () => {
    await using server = await tlsServer()
    const sessionCache = changing(new SessionCache(), (entry) => ({ ...entry }))
    const options = { ...limits, port: server.port, sessionCache }
    await visit(options)
    expect((await visit(options)).sessionReused).toBe(true)
  })
})

describe('a session store that never answers', () => {
  it('costs a full handshake, and what it says later is not heard', async () => {
    await using server = await tlsServer()
    const real = new SessionCache()
    const options = { host: 'localhost', ca, port: server.port }
    await visit({ ...options, sessionCache: real })
    let asked = (): void => undefined
    let answer: (entry: undefined) => void = () => undefined
    const waiting = new Promise<void>((resolve) => (asked = resolve))
    const sessionCache: SessionStore = {
      get: () => new Promise((resolve) => ((answer = resolve), asked())),
      add: () => undefined,
      delete: () => undefined,
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const connecting = connect({ ...options, sessionCache })
      await waiting
      vi.advanceTimersByTime(2_000)
      const socket = await connecting
      answer(undefined)
      expect(socket.sessionReused).toBe(false)
      socket.destroy()
    } finally {
      vi.useRealTimers()
    }
  })

  it('does not outlive an abort', async () => {
    await using server = await tlsServer()
    const abort = new AbortController()
    const sessionCache: SessionStore = {
      get: () => new Promise(() => setImmediate(() => abort.abort())),
      add: () => undefined,
      delete: () => undefined,
    }
    expect(
      await rejection(connect({ host: 'localhost', ca, port: server.port, sessionCache, signal: abort.signal })),
    ).toMatchObject({ name: 'AbortError' })
  })
})
