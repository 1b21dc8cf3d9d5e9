import { once } from 'node:events'
import { connect, listen } from '@x/socket'
import { createAuthority } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, run, startServer, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const gnutls = peer('gnutls-serv')
const gnutlsClient = peer('gnutls-cli')
const hex = '00112233445566778899aabbccddeeff'
const key = Buffer.from(hex, 'hex')
const authority = createAuthority('psk interop')
const identity = authority.issue('localhost')
const folder = new TemporaryFolder({ 'cert.pem': identity.cert, 'key.pem': identity.key, 'psk.txt': `me:${hex}\n` })
afterAll(() => folder.dispose())

const versions = [
  ['TLSv1.2', '-tls1_2', 'VERS-TLS1.2'],
  ['TLSv1.3', '-tls1_3', 'VERS-TLS1.3'],
] as const

describe.skipIf(openssl === undefined).each(versions)('openssl with a pre-shared key, %s', (version, flag) => {
  const server = (more: readonly string[]) =>
    startServer(openssl ?? '', (port) => ['s_server', '-accept', `127.0.0.1:${port}`, flag, '-rev', ...more], {
      ready: /ACCEPT/,
    })

  it('s_server without a certificate: the key alone connects', async () => {
    await using running = await server(['-nocert', '-psk', hex, '-psk_identity', 'me'])
    const socket = await connect({ host: '127.0.0.1', port: running.port, ca: [], psk: { identity: 'me', key } })
    expect(socket.getProtocol()).toBe(version)
    expect(socket.verification?.outcomes.chain).toMatchObject({ result: 'passed', evidence: { anchor: 'psk' } })
    socket.write('hello\n')
    expect(String((await once(socket, 'data'))[0])).toContain('olleh')
    socket.destroy()
  })

  it('s_server with another key refuses us', async () => {
    await using running = await server(['-nocert', '-psk', 'ff'.repeat(16), '-psk_identity', 'me'])
    const attempt = connect({ host: '127.0.0.1', port: running.port, ca: [], psk: { identity: 'me', key } })
    await expect(attempt).rejects.toMatchObject({ phase: 'handshake' })
  })

  it('s_server that ignores the key must pass by its certificate', async () => {
    await using running = await server(['-cert', folder.file('cert.pem'), '-key', folder.file('key.pem')])
    const options = { host: '127.0.0.1', port: running.port, servername: 'localhost', psk: { identity: 'me', key } }
    const trusted = await connect({ ...options, ca: authority.ca })
    expect(trusted.pskIdentity).toBeUndefined()
    trusted.destroy()
    await expect(connect({ ...options, ca: [] })).rejects.toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  it('s_client and our server: with the key, with another, and without', async () => {
    const ours = await listen({
      host: '127.0.0.1',
      port: 0,
      psk: { me: key },
      cert: identity.cert,
      key: identity.key,
    })
    await using _closing = ours
    const identities: (string | undefined)[] = []
    const refusals: unknown[] = []
    ours.on('connection', (socket) => {
      socket.on('error', () => undefined) // a client that does not wait for the end
      identities.push(socket.pskIdentity)
      socket.end('welcome\n')
    })
    ours.on('tlsClientError', (error) => refusals.push((error as { code?: unknown }).code))
    const { port } = ours.address() as { port: number }
    const client = (more: readonly string[]) =>
      run(openssl ?? '', ['s_client', '-connect', `127.0.0.1:${port}`, flag, '-quiet', ...more])
    expect((await client(['-psk', hex, '-psk_identity', 'me'])).stdout).toContain('welcome')
    expect(identities).toEqual(['me'])
    expect((await client(['-psk', 'ff'.repeat(16), '-psk_identity', 'me'])).stdout).not.toContain('welcome')
    expect((await client([])).stdout).not.toContain('welcome')
    expect(identities).toEqual(['me'])
    expect(refusals).toContain('ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE')
  })
})

describe.skipIf(gnutls === undefined || gnutlsClient === undefined).each(versions)(
  'gnutls with a pre-shared key, %s',
  (version, _flag, priority) => {
    const suites = `NORMAL:-VERS-ALL:+${priority}:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK:+ECDHE-ECDSA`

    it('gnutls-serv takes our key', async () => {
      await using running = await startServer(gnutls ?? '', (port) => [
        '--echo',
        '--port',
        String(port),
        '--priority',
        suites,
        '--pskpasswd',
        folder.file('psk.txt'),
      ])
      const socket = await connect({ host: '127.0.0.1', port: running.port, ca: [], psk: { identity: 'me', key } })
      expect([socket.getProtocol(), socket.pskIdentity]).toEqual([version, 'me'])
      socket.write('hello\n')
      expect(String((await once(socket, 'data'))[0])).toContain('hello')
      socket.destroy()
    })

    it('our server takes the key of gnutls-cli', async () => {
      const ours = await listen({ host: '127.0.0.1', port: 0, psk: { me: key } })
      await using _closing = ours
      ours.on('connection', (socket) => socket.on('error', () => undefined)) // a client that does not wait for the end
      const accepted = once(ours, 'connection')
      const { port } = ours.address() as { port: number }
      const client = run(gnutlsClient ?? '', [
        '--port',
        String(port),
        '--priority',
        suites,
        '--pskusername',
        'me',
        '--pskkey',
        hex,
        '127.0.0.1',
      ])
      const [socket] = await accepted
      expect([socket.getProtocol(), socket.pskIdentity]).toEqual([version, 'me'])
      socket.end()
      await client
    })
  },
)
