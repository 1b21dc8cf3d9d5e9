import type { AddressInfo } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type SecureVersion, type TlsOptions } from 'node:tls'
import { element, oid, sequence } from '@x/der'
import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { listen, type ListenOptions, type SecureServer, type SecureSocket } from '../src/index.ts'
import { authority, identity, tlsServer } from './support.ts'

const stranger = createAuthority('stranger')
const ticketKeys = Buffer.alloc(48, 9)
const served = { host: '127.0.0.1', port: 0, cert: identity.cert, key: identity.key, ticketKeys }
const ours = authority.issue({ names: 'client', purpose: 'client' })
const theirs = stranger.issue({ names: 'client', purpose: 'client' })
const shown = { cert: ours.cert, key: ours.key }
const foreign = { cert: theirs.cert, key: theirs.key }
const byOurs = { requestCert: true, ca: authority.ca } as const
const byTheirs = { requestCert: true, ca: stranger.ca } as const

/** As `openssl x509 -addreject clientAuth` writes it. */
function rejected(der: Uint8Array): string {
  const settings = sequence(element(0xa0, oid('1.3.6.1.5.5.7.3.2')))
  const base64 = Buffer.concat([der, settings]).toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN TRUSTED CERTIFICATE-----\n${base64}\n-----END TRUSTED CERTIFICATE-----\n`
}

type Verdict =
  | { readonly resumed: boolean; readonly client: boolean }
  /** Why the server has refused. */
  | { readonly refused: string }

/** A server of ours, and what it has made of each client. */
async function serving(
  options: Partial<ListenOptions>,
): Promise<{ server: SecureServer; port: number; next: () => Promise<Verdict> }> {
  const server = await listen({ ...served, ...options })
  const verdicts: Verdict[] = []
  const waiting: (() => void)[] = []
  const tell = (verdict: Verdict): void => {
    verdicts.push(verdict)
    waiting.shift()?.()
  }
  server.on('connection', (socket: SecureSocket) => {
    socket.on('error', () => undefined).end('welcome')
    tell({ resumed: socket.sessionReused, client: socket.peerCertificates().length > 0 })
  })
  server.on('tlsClientError', (error) => tell({ refused: String((error as { code?: unknown }).code) }))
  return {
    server,
    port: (server.address() as AddressInfo).port,
    next: async () => {
      if (verdicts.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      return verdicts.shift() as Verdict
    },
  }
}

/** A client on node:tls, which offers what it is told to, and what the server has given it. */
async function visit(
  port: number,
  options: ConnectionOptions,
): Promise<{ sessions: readonly Buffer[]; resumed: boolean }> {
  const socket = connectTls({ host: '127.0.0.1', servername: 'localhost', ca: authority.ca, ...options, port })
  const sessions: Buffer[] = []
  socket
    .on('session', (session: Buffer) => sessions.push(session))
    .on('error', () => undefined)
    .resume()
  let resumed = false
  socket.once('secureConnect', () => {
    resumed = socket.isSessionReused()
  })
  await new Promise((resolve) => socket.once('close', resolve)) // after an error too: a refused client is told
  return { sessions, resumed }
}

/** The same for node:tls, as far as it has the options. */
function likewise({ ca, requestCert = false }: Policy): TlsOptions {
  const { cert, key } = served
  return { cert, key, ticketKeys, rejectUnauthorized: false, requestCert: requestCert !== false, ...(ca && { ca }) }
}

type Policy = Pick<ListenOptions, 'requestCert' | 'verify'> & { readonly ca?: string }

interface Attack {
  readonly what: string
  readonly earned: Policy
  readonly by?: ConnectionOptions
  readonly at: Policy
  readonly verdict: Verdict
}

const attacks: readonly Attack[] = [
  {
    what: 'without client certificates, at one that requires them',
    earned: {},
    at: byOurs,
    verdict: { refused: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' },
  },
  {
    what: 'without client certificates, at one that asks for them',
    earned: {},
    at: { ...byOurs, requestCert: 'optional' },
    verdict: { resumed: false, client: false },
  },
  {
    what: 'where a certificate is optional, at one that requires it',
    earned: { ...byOurs, requestCert: 'optional' },
    at: byOurs,
    verdict: { refused: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' },
  },
  {
    what: 'under another client CA',
    earned: byTheirs,
    by: foreign,
    at: byOurs,
    verdict: { refused: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
  },
  {
    what: 'with a certificate, at one that pins another',
    earned: byOurs,
    by: shown,
    at: { ...byOurs, verify: { fingerprints: `sha256$${'0'.repeat(64)}`, forceFingerprints: true } },
    verdict: { refused: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' },
  },
  {
    what: 'with a certificate, at one with a callback that refuses',
    earned: byOurs,
    by: shown,
    at: { ...byOurs, verify: { callback: () => false } },
    verdict: { refused: 'ERR_SECURE_SOCKET_CALLBACK_REFUSED' },
  },
]

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a ticket of %s, earned at a server', (version: SecureVersion) => {
  const limits = { minVersion: version, maxVersion: version }

  it('resumes at another server of the same policy and keys', async () => {
    const [one, two] = [await serving({ ...byOurs, ...limits }), await serving({ ...byOurs, ...limits })]
    await using _one = one.server
    await using _two = two.server
    const { sessions } = await visit(one.port, shown)
    expect(await one.next()).toEqual({ resumed: false, client: true })
    await visit(two.port, { ...shown, session: sessions[0] })
    expect(await two.next()).toEqual({ resumed: true, client: true })
  })

  it.each(attacks)('$what', async ({ earned, by, at, verdict }) => {
    const [one, two] = [await serving({ ...earned, ...limits }), await serving({ ...at, ...limits })]
    await using _one = one.server
    await using _two = two.server
    const { sessions } = await visit(one.port, by ?? {})
    expect(await one.next()).toMatchObject({ resumed: false })
    expect(sessions.length).toBeGreaterThan(0)
    const session = sessions[0] as Buffer

    // node:tls with the same keys and questions resumes
    await using nodeOne = await tlsServer({ ...likewise(earned), ...limits }, (socket) => socket.end('x'))
    await using nodeTwo = await tlsServer({ ...likewise(at), ...limits }, (socket) => socket.end('x'))
    const given = await visit(nodeOne.port, by ?? {})
    expect(await visit(nodeTwo.port, { ...by, session: given.sessions[0] })).toMatchObject({ resumed: true })

    await visit(two.port, { ...by, session })
    expect(await two.next()).toEqual(verdict)
  })

  it('through an intermediate, at one whose store distrusts it', async () => {
    const intermediate = authority.issue({ ca: true, subject: { commonName: 'Intermediate' } })
    const { cert, key } = intermediate.issue({ names: 'client', purpose: 'client' })
    const one = await serving({ ...byOurs, ...limits })
    const two = await serving({ ...byOurs, ca: [authority.ca, rejected(intermediate.raw)], ...limits })
    await using _one = one.server
    await using _two = two.server
    const { sessions } = await visit(one.port, { cert, key })
    expect(await one.next()).toEqual({ resumed: false, client: true })
    await visit(two.port, { cert, key, session: sessions[0] })
    expect(await two.next()).toEqual({ refused: 'CERT_REJECTED' })
  })

  it('without client certificates, at another host of the same server that requires them', async () => {
    const hosts = { 'www.example.org': byOurs }
    const one = await serving({ hosts, ...limits })
    await using _one = one.server
    const { sessions } = await visit(one.port, {})
    expect(await one.next()).toEqual({ resumed: false, client: false })
    expect((await visit(one.port, { session: sessions[0] })).resumed).toBe(true)
    expect(await one.next()).toEqual({ resumed: true, client: false })
    await visit(one.port, { session: sessions.at(-1), servername: 'www.example.org' })
    expect(await one.next()).toEqual({ refused: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' })
  })

  it('of one host, at another host of the same policy', async () => {
    const { cert, key } = authority.issue('www.example.org')
    const one = await serving({ hosts: { 'www.example.org': { cert, key } }, ...limits })
    await using _one = one.server
    const { sessions } = await visit(one.port, { servername: '' })
    expect(await one.next()).toEqual({ resumed: false, client: false })
    await visit(one.port, { session: sessions[0], servername: 'www.example.org' })
    expect(await one.next()).toEqual({ resumed: false, client: false })
  })
})
