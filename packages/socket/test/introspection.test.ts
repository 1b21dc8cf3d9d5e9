import { once } from 'node:events'
import { OcspCache, createOcspResponse } from '@x/ocsp'
import { createAuthority, describeCertificate, fingerprint } from '@x/utils'
import { describe, expect, it } from 'vitest'
import {
  type CertificateField,
  connect,
  type ConnectOptions,
  dial,
  PeerRefusedError,
  type SecureSocket,
} from '../src/index.ts'
import { authority, identity, rejection, tcpServer, tlsServer } from './support.ts'

const intermediate = authority.issue({ ca: true, subject: { commonName: 'intermediate' } })
const leaf = intermediate.issue({
  names: ['localhost', '127.0.0.1', '*.example.org'],
  subject: { organizationName: 'Example', commonName: 'the server' },
  ocspUris: ['http://ocsp.test/'],
})
const client = authority.issue({ names: 'client', subject: { commonName: 'the client' } })

async function withSocket(test: (socket: SecureSocket) => unknown, options: ConnectOptions = {}): Promise<void> {
  await using server = await tlsServer({
    cert: leaf.cert,
    key: leaf.key,
    requestCert: true,
    ca: authority.ca,
    ALPNProtocols: ['http/1.1'],
  })
  const socket = await connect({
    host: 'localhost',
    port: server.port,
    ca: authority.ca,
    cert: client.cert,
    key: client.key,
    ALPNProtocols: ['h2', 'http/1.1'],
    ...options,
  })
  try {
    await test(socket)
  } finally {
    socket.destroy()
  }
}

describe('a secure socket tells', () => {
  it('the peer’s certificate and its fields by the original’s names', () =>
    withSocket((socket) => {
      expect(socket.peerCertificate()?.raw).toEqual(Buffer.from(leaf.raw))
      expect(socket.peerCertificates().map(({ raw }) => raw.length)).toEqual([leaf.raw.length, intermediate.raw.length])
      for (const field of ['commonName', 'cn'] as const) expect(socket.peerCertificate(field)).toBe('the server')
      for (const field of ['subject', 'owner'] as const) expect(socket.peerCertificate(field)).toContain('O=Example')
      for (const field of ['issuer', 'authority'] as const)
        expect(socket.peerCertificate(field)).toContain('CN=intermediate')
      expect(socket.peerCertificate('subjectAltNames')).toEqual(describeCertificate(leaf.certificate).subjectAltNames)
    }))

  it('nothing for a field that there is not', () =>
    withSocket((socket) => {
      for (const field of ['CN', 'serial', '', 'constructor'])
        expect(() => socket.peerCertificate(field as CertificateField)).toThrow(TypeError)
    }))

  it('our own certificate', () =>
    withSocket((socket) => {
      expect(socket.localCertificate()?.raw).toEqual(Buffer.from(client.raw))
      expect(socket.localCertificate('cn')).toBe('the client')
    }))

  it('fingerprints, as they can be pinned', () =>
    withSocket((socket) => {
      expect(socket.fingerprint()).toBe(fingerprint(leaf.certificate))
      expect(socket.fingerprint({ of: 'public-key' })).toBe(fingerprint(leaf.certificate, { of: 'public-key' }))
      expect(socket.fingerprint({ algorithm: 'sha512' })).toMatch(/^sha512\$/)
    }))

  it('subject and issuer as text', () =>
    withSocket((socket) => {
      expect(socket.dumpPeerCertificate()).toMatch(
        /^Subject Name: \/.*CN=the server\nIssuer {2}Name: \/CN=intermediate\n$/,
      )
    }))

  it('whether a further name belongs to the peer', () =>
    withSocket((socket) => {
      expect(socket.verifyHostname('localhost')).toMatchObject({ entry: 'localhost' })
      expect(socket.verifyHostname('www.example.org', 'http')).toMatchObject({ entry: '*.example.org' })
      expect(socket.verifyHostname('www.example.org', 'sip')).toBeUndefined()
      expect(socket.verifyHostname('other.example.com')).toBeUndefined()
      expect(socket.verifyHostname('127.0.0.1')).toBeDefined()
    }))

  it('what node:tls tells, by its names', () =>
    withSocket((socket) => {
      expect(socket.getProtocol()).toBe('TLSv1.3')
      expect(socket.getCipher()).toHaveProperty('standardName', expect.stringMatching(/^TLS_/))
      expect(socket.getEphemeralKeyInfo()).toBeTypeOf('object') // empty for a group that Node cannot name
      expect(socket.exportKeyingMaterial(32, 'label', Buffer.from('context'))).toHaveLength(32)
      expect(socket.getPeerX509Certificate()?.raw).toEqual(Buffer.from(leaf.raw))
      expect(socket.getPeerX509Certificate()?.raw).toEqual(Buffer.from(leaf.raw)) // and again
      expect(socket.getPeerCertificate().subject.CN).toBe('the server')
      const detailed = socket.getPeerCertificate(true)
      expect(detailed.issuerCertificate.subject.CN).toBe('intermediate')
      const top = detailed.issuerCertificate.issuerCertificate
      expect(top.raw).toEqual(Buffer.from(authority.raw))
      expect(top.issuerCertificate).toBe(top)
      expect(socket.getX509Certificate()?.raw).toEqual(Buffer.from(client.raw))
      expect(socket.getFinished()?.length).toBeGreaterThan(0)
      expect(socket.isSessionReused()).toBe(false)
      expect(socket).toMatchObject({
        alpnProtocol: 'http/1.1',
        servername: 'localhost',
        sessionReused: false,
        encrypted: true,
        authorized: true,
        authorizationError: null,
        remoteAddress: '127.0.0.1',
      })
    }))

  it('an OCSP resolver over the verified path, with the connection’s cache', () => {
    const cache = new OcspCache()
    return withSocket(
      async (socket) => {
        const resolver = socket.ocspResolver()
        expect([...resolver.requests().keys()]).toEqual(['http://ocsp.test/'])
        const responses = [
          { certificate: leaf.certificate, issuer: intermediate.certificate, status: 'revoked' as const },
        ]
        const body = createOcspResponse({ signer: intermediate, responses })
        expect(resolver.addResponse('http://ocsp.test/', body)).toMatchObject({ code: 'ERR_OCSP_REVOKED' })
        expect(cache.size).toBe(1)
        expect(socket.ocspResolver().hardError).toMatchObject({ code: 'ERR_OCSP_REVOKED' })
      },
      { revocation: { cache } },
    )
  })

  it('no resolver where the chain was not verified', async () => {
    const verify = { fingerprints: fingerprint(leaf.certificate) }
    await withSocket(
      (socket) =>
        expect(() => socket.ocspResolver()).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' })),
      { verify, ca: [] },
    )
    await withSocket(
      (socket) =>
        expect(() => socket.ocspResolver()).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' })),
      { rejectUnauthorized: false },
    )
  })

  it('the chain’s path and where its anchor came from', () =>
    withSocket((socket) => {
      const { chain } = socket.verification?.outcomes ?? expect.unreachable()
      const { path, anchor, proven } = chain.result === 'passed' ? chain.evidence : expect.unreachable()
      expect(path.map((der) => Buffer.from(der))).toEqual(
        [leaf, intermediate, authority].map(({ raw }) => Buffer.from(raw)),
      )
      expect([anchor, proven]).toEqual(["option 'ca'", 'now'])
    }))
})

describe('before and after', () => {
  it('there is nothing to tell of a socket that is not secure', async () => {
    await using server = await tlsServer()
    const socket = dial({ host: 'localhost', port: server.port, ca: authority.ca })
    expect(socket).toMatchObject({ phase: 'connecting', authorized: false, encrypted: false, verification: undefined })
    expect(socket.peerCertificate()).toBeUndefined()
    expect(socket.peerCertificate('cn')).toBeUndefined()
    expect([socket.peerCertificates(), socket.fingerprint(), socket.dumpPeerCertificate()]).toEqual([[], undefined, ''])
    expect(socket.verifyHostname('localhost')).toBeUndefined()
    for (const ask of [
      () => socket.getCipher(),
      () => socket.localCertificate(),
      () => socket.ocspResolver(),
      () => socket.exportKeyingMaterial(8, 'x', Buffer.alloc(0)),
    ])
      expect(ask).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }))
    await once(socket, 'secureConnect')
    socket.destroy()
    await once(socket, 'close')
    expect(socket).toMatchObject({ phase: 'closed', encrypted: false })
    expect(() => socket.getCipher()).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }))
  })
})

describe('an error tells', () => {
  const host = 'localhost'

  it('who was refused, by which check, for what, and what to do', async () => {
    await using server = await tlsServer()
    const { port } = server
    const error = await rejection(connect({ host, port, ca: createAuthority('stranger').ca }))
    expect(error).toBeInstanceOf(PeerRefusedError)
    expect(error).toMatchObject({
      name: 'PeerRefusedError',
      code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      check: 'chain',
      phase: 'verify',
      host,
      port,
    })
    expect(error['hint']).toContain('ca')
    expect(error['failures']).toEqual(expect.arrayContaining([expect.objectContaining({ depth: 0 })]))
    expect(error.cause).toBeInstanceOf(Error)
    expect(error['outcomes']).toMatchObject({ name: { result: 'passed' }, chain: { result: 'refused' } })
  })

  it.each<[string, () => Promise<unknown>, string, string]>([
    ['that nobody listens', () => connect({ host, port: 1, ca: [] }), 'ECONNREFUSED', 'connect'],
    [
      'that the name does not resolve',
      () =>
        connect({
          host: 'x.invalid',
          port: 1,
          ca: [],
          lookup: (_host, _options, done) =>
            done(Object.assign(new Error('no'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }), '', 4),
        }),
      'ENOTFOUND',
      'resolve',
    ],
  ])('%s', async (_what, run, code, phase) => {
    expect(await rejection(run())).toMatchObject({
      code,
      phase: expect.stringMatching(`^(${phase}|connect)$`),
      port: 1,
    })
  })

  it('that the handshake failed, with OpenSSL’s reason', async () => {
    await using server = await tlsServer({ maxVersion: 'TLSv1.2' })
    const error = await rejection(connect({ host, port: server.port, ca: authority.ca, minVersion: 'TLSv1.3' }))
    expect(error).toMatchObject({
      code: expect.stringMatching(/^ERR_SSL_/),
      phase: 'handshake',
      host,
      port: server.port,
      reason: expect.any(String),
    })
  })

  it('that the peer speaks no TLS, or nothing', async () => {
    await using plain = await tcpServer((socket) => socket.write('220 welcome\r\n'))
    expect(await rejection(connect({ host, port: plain.port, ca: authority.ca }))).toMatchObject({
      code: expect.stringMatching(/^ERR_SSL_/),
      phase: 'handshake',
    })
    await using silent = await tcpServer(() => undefined)
    expect(await rejection(connect({ host, port: silent.port, ca: authority.ca, handshakeTimeout: 20 }))).toMatchObject(
      {
        code: 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT',
        phase: 'handshake',
        hint: expect.stringContaining('handshakeTimeout'),
      },
    )
  })

  it('nothing secret', async () => {
    await using server = await tlsServer()
    const error = await rejection(connect({ host, port: server.port, ca: [], cert: identity.cert, key: identity.key }))
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.stack)).not.toContain('PRIVATE KEY')
  })
})
