import type { AddressInfo } from 'node:net'
import { listen, type ListenOptions, type SecureServer } from '@x/socket'
import { type ByteStore, EncryptedSessionStore } from '@x/session-cache'
import { createAuthority } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, run, TemporaryFolder } from '../src/index.ts'

const authority = createAuthority('interop CA')
const { cert, key } = authority.issue({ names: ['localhost'] })
const client = authority.issue({ names: 'client', purpose: 'client' })
const folder = new TemporaryFolder({ 'ca.pem': authority.ca, 'client.pem': client.cert + client.key })
afterAll(() => folder.dispose())

const openssl = peer('openssl')
const gnutls = peer('gnutls-cli')

async function serving(options: ListenOptions): Promise<SecureServer & { port: number; resumed: boolean[] }> {
  const server = await listen({ host: '127.0.0.1', port: 0, cert, key, ...options })
  const resumed: boolean[] = []
  server.on('tlsClientError', () => undefined)
  server.on('connection', (socket) => {
    resumed.push(socket.sessionReused)
    socket.on('error', () => undefined).once('data', () => socket.end('hello'))
  })
  return Object.assign(server, { port: (server.address() as AddressInfo).port, resumed })
}

describe.skipIf(openssl === undefined)('openssl s_client, one session after the other', () => {
  const visit = async (port: number, at: number, args: readonly string[]): Promise<string> => {
    // in TLS 1.2 OpenSSL goes on with the first session, and reports none that comes in its place
    const last = args.includes('-tls1_2') ? 0 : at - 1
    const offered = at === 0 ? [] : ['-sess_in', folder.file(`session-${last}.pem`)]
    const kept = ['-sess_out', folder.file(`session-${at}.pem`)]
    const { stdout, stderr } = await run(
      openssl as string,
      [
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-servername',
        'localhost',
        '-CAfile',
        folder.file('ca.pem'),
        '-verify_return_error',
        '-ign_eof',
        ...args,
        ...offered,
        ...kept,
      ],
      { input: 'hi\n' },
    )
    expect(stdout, stderr).toContain('hello')
    return stdout
  }

  it.each(['-tls1_3', '-tls1_2'])('%s: the first session leads to all others', async (version) => {
    await using server = await serving({})
    for (let at = 0; at < 6; at++)
      expect(await visit(server.port, at, [version])).toContain(at === 0 ? 'New, TLSv1.' : 'Reused, TLSv1.')
    expect(server.resumed).toEqual([false, true, true, true, true, true])
  })

  it('-tls1_3, asked for a certificate: one ticket leads to no other', async () => {
    await using server = await serving({ requestCert: true, ca: authority.ca })
    const shown = ['-tls1_3', '-cert', folder.file('client.pem')]
    for (let at = 0; at < 2; at++) await visit(server.port, at, shown)
    expect(server.resumed).toEqual([false, true])
    expect(await visit(server.port, 1, shown)).not.toContain('Post-Handshake New Session Ticket arrived')
  })

  it('-tls1_2 -no_ticket: by id, at any server that shares the store', async () => {
    const lists = new Map<string, Uint8Array[]>()
    const store: ByteStore = {
      put: (name, bytes, { keep }) => void lists.set(name, [bytes, ...(lists.get(name) ?? [])].slice(0, keep)),
      take: (name) => lists.get(name)?.shift(),
      peek: (name) => lists.get(name)?.[0],
      delete: (name) => void lists.delete(name),
    }
    const sealed = { store, key: Buffer.alloc(32, 7) }
    await using one = await serving({ sessionCache: new EncryptedSessionStore(sealed) })
    await using other = await serving({ sessionCache: new EncryptedSessionStore(sealed) })
    for (let at = 0; at < 4; at++) await visit((at % 2 === 0 ? one : other).port, at, ['-tls1_2', '-no_ticket'])
    expect([one.resumed, other.resumed]).toEqual([
      [false, true],
      [true, true],
    ])
  })
})

describe.skipIf(gnutls === undefined)('gnutls-cli --resume', () => {
  it.each(['1.2', '1.3'])('TLS %s', async (version) => {
    await using server = await serving({})
    const { stdout, stderr } = await run(
      gnutls as string,
      [
        '--resume',
        '--x509cafile',
        folder.file('ca.pem'),
        '--port',
        String(server.port),
        '--sni-hostname',
        'localhost',
        '--verify-hostname',
        'localhost',
        '--priority',
        `NORMAL:-VERS-ALL:+VERS-TLS${version}`,
        '--waitresumption',
        '127.0.0.1',
      ],
      { input: 'hi\n' },
    )
    expect(stdout, stderr).toContain('This is a resumed session')
    expect(server.resumed.at(-1)).toBe(true)
  })
})
