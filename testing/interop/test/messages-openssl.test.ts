import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createAuthority } from '@x/utils'
import { connect, listen, type SecureSocket, type TlsMessage } from '@x/socket'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const authority = createAuthority('interop CA')
const identity = authority.issue(['localhost', '127.0.0.1'])
const folder = new TemporaryFolder({ 'ca.pem': authority.ca, 'cert.pem': identity.cert, 'key.pem': identity.key })
afterAll(() => folder.dispose())

/** What `-msg` calls a message, and how many bytes it says it has. `>` is what we sent, so what openssl received. */
function openSslMessages(output: string): string[] {
  const lines = output.matchAll(/^(<<<|>>>) .*, (\w+) \[length ([0-9a-f]+)\](?:, (.*))?$/gm)
  const found: string[] = []
  for (const [, arrows, kind, length, what] of lines) {
    if (kind === 'RecordHeader' || kind === 'InnerContent') continue
    found.push(
      `${arrows === '<<<' ? '>' : '<'}${kind === 'Handshake' ? what : kind} ${Number.parseInt(length ?? '', 16)}`,
    )
  }
  return found
}

const openSslNames: Readonly<Record<string, string>> = {
  hello_request: 'HelloRequest',
  client_hello: 'ClientHello',
  server_hello: 'ServerHello',
  // to openssl both are a ServerHello
  hello_retry_request: 'ServerHello',
  new_session_ticket: 'NewSessionTicket',
  encrypted_extensions: 'EncryptedExtensions',
  certificate: 'Certificate',
  server_key_exchange: 'ServerKeyExchange',
  certificate_request: 'CertificateRequest',
  server_hello_done: 'ServerHelloDone',
  certificate_verify: 'CertificateVerify',
  client_key_exchange: 'ClientKeyExchange',
  finished: 'Finished',
  certificate_status: 'CertificateStatus',
  key_update: 'KeyUpdate',
  change_cipher_spec: 'ChangeCipherSpec',
  alert: 'Alert',
}

function ourMessages(messages: readonly TlsMessage[]): string[] {
  return messages
    .filter(({ contentType }) => contentType !== 'application_data')
    .map(({ direction, contentType, handshakeType, bytes, encrypted }) => {
      const name = handshakeType ?? contentType
      return `${direction === 'sent' ? '>' : '<'}${openSslNames[name] ?? name} ${bytes.length}${encrypted ? '?' : ''}`
    })
}

/** Each direction by itself: how the two interleave depends on when who reads. openssl does not tell a ChangeCipherSpec that it received. */
function byDirection(list: readonly string[]): { sent: string[]; received: string[] } {
  const names = list.map((text) => text.replace(/, .*/, ''))
  return {
    sent: names.filter((text) => text.startsWith('>') && !text.startsWith('>ChangeCipherSpec')),
    received: names.filter((text) => text.startsWith('<')),
  }
}

type Case = readonly [what: string, args: readonly string[], options: object, mustHave?: RegExp]
const cases: readonly Case[] = [
  ['TLS 1.3', ['-tls1_3'], {}],
  ['TLS 1.3, AES-256', ['-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384'], {}],
  ['TLS 1.3, ChaCha20', ['-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'], {}],
  ['TLS 1.3, AES-CCM-8', ['-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_8_SHA256:TLS_AES_128_GCM_SHA256'], {}],
  ['TLS 1.2, AES-128-GCM', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], {}],
  ['TLS 1.2, AES-256-GCM', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384'], {}],
  ['TLS 1.2, ChaCha20', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305'], {}],
]

const versionOf = (what: string): { minVersion: 'TLSv1.2' | 'TLSv1.3'; maxVersion: 'TLSv1.2' | 'TLSv1.3' } =>
  what.startsWith('TLS 1.2')
    ? { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }
    : { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }

describe.skipIf(openssl === undefined)('onMessage says what openssl -msg says', () => {
  const serverArguments = (port: number, more: readonly string[]): string[] => [
    's_server',
    '-accept',
    `127.0.0.1:${port}`,
    '-cert',
    folder.file('cert.pem'),
    '-key',
    folder.file('key.pem'),
    '-msg',
    ...more,
  ]

  /** Our client against `s_server -msg`; `act` runs once data has gone both ways. */
  async function asClient(
    what: string,
    more: readonly string[],
    options: object,
    act?: (server: RunningPeer, socket: SecureSocket) => Promise<void>,
  ): Promise<void> {
    await using server = await startServer(openssl ?? '', (port) => serverArguments(port, more), { ready: /ACCEPT/ })
    const messages: TlsMessage[] = []
    const socket = await connect({
      host: '127.0.0.1',
      port: server.port,
      ca: authority.ca,
      ...versionOf(what),
      ...options,
      onMessage: (message) => messages.push(message),
    })
    socket.write('ping\n')
    await server.printed(/ping/)
    server.process.stdin?.write('pong\n')
    await once(socket, 'data')
    await act?.(server, socket)
    socket.end()
    await server.printed(/DONE|ERROR|shutting down|CONNECTION CLOSED/)
    const ours = byDirection(ourMessages(messages))
    const theirs = byDirection(openSslMessages(server.output))
    expect(ours.sent).toEqual(theirs.sent)
    expect(ours.received).toEqual(theirs.received.slice(0, ours.received.length))
    expect(ours.received.length).toBeGreaterThanOrEqual(
      theirs.received.filter((text) => !text.startsWith('<Alert')).length,
    )
  }

  /** Our server against `s_client -msg`. */
  async function asServer(
    what: string,
    more: readonly string[],
    options: object,
    act?: (client: RunningPeer, socket: SecureSocket) => Promise<void>,
  ): Promise<void> {
    const messages: TlsMessage[] = []
    const server = await listen({
      host: '127.0.0.1',
      port: 0,
      cert: identity.cert,
      key: identity.key,
      ...versionOf(what),
      ...options,
      onMessage: (message) => messages.push(message),
    })
    const { port } = server.address() as { port: number }
    const accepted = once(server, 'connection')
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', folder.file('ca.pem'), '-msg', ...more]
    await using client = new RunningPeer(spawn(openssl ?? '', args), port)
    const [socket] = await accepted
    socket.on('error', () => undefined)
    client.process.stdin?.write('ping\n')
    await once(socket, 'data')
    socket.write('pong\n')
    await client.printed(/^pong/m)
    await act?.(client, socket)
    const ended = once(socket.resume(), 'end')
    client.process.stdin?.write('Q\n')
    await ended
    socket.end()
    await once(client.process, 'close')
    const ours = byDirection(ourMessages(messages))
    const theirs = byDirection(openSslMessages(client.output))
    expect(ours.received).toEqual(theirs.received)
    // s_client does not read our answer to its close_notify
    expect(ours.sent.filter((text) => !text.startsWith('>Alert'))).toEqual(
      theirs.sent.filter((text) => !text.startsWith('>Alert')),
    )
    await server.close()
  }

  for (const [what, args, options] of cases) {
    it(`our client, ${what}`, () => asClient(what, args, options))
    it(`our server, ${what}`, () => asServer(what, args, options))
  }

  it('a HelloRetryRequest, in both roles', async () => {
    await asClient('TLS 1.3', ['-tls1_3', '-groups', 'P-384'], { ecdhCurve: 'X25519:P-384' })
    await asServer('TLS 1.3', ['-tls1_3', '-groups', 'X25519:P-384'], { ecdhCurve: 'P-384' })
  })

  it('a KeyUpdate, asked for and answered, with data behind it, in both roles', async () => {
    const update = async (other: RunningPeer, socket: SecureSocket): Promise<void> => {
      other.process.stdin?.write('K\n')
      await other.printed(/>>> [^\n]*KeyUpdate/)
      const data = once(socket, 'data')
      other.process.stdin?.write('after\n')
      expect(String((await data)[0])).toBe('after\n')
      socket.write('answer\n')
      await other.printed(/<<< [^\n]*KeyUpdate[\s\S]*^answer/m)
    }
    await asClient('TLS 1.3', ['-tls1_3'], {}, update)
    await asServer('TLS 1.3', ['-tls1_3'], {}, update)
  })
})
