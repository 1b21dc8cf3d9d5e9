import { once } from 'node:events'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { SessionCache } from '@x/session-cache'
import { describe, expect, it } from 'vitest'
import { connect, listen, type TlsMessage } from '../src/index.ts'
import { observe } from '../src/messages/observer.ts'
import { authority, identity, tlsServer } from './support.ts'

const ca = authority.ca

/** `>client_hello` for what was sent, `<` for what was received; alerts and others by their content type. */
function name({ direction, contentType, handshakeType, encrypted }: TlsMessage): string {
  return `${direction === 'sent' ? '>' : '<'}${handshakeType ?? contentType}${encrypted ? '?' : ''}`
}

const full13 = [
  '>client_hello',
  '<server_hello',
  '<change_cipher_spec',
  '<encrypted_extensions',
  '<certificate',
  '<certificate_verify',
  '<finished',
  '>change_cipher_spec',
  '>finished',
]
const full12 = [
  '>client_hello',
  '<server_hello',
  '<certificate',
  '<server_key_exchange',
  '<server_hello_done',
  '>client_key_exchange',
  '>change_cipher_spec',
  '>finished',
  '<new_session_ticket',
  '<change_cipher_spec',
  '<finished',
]
const mirrored = (names: readonly string[]): string[] =>
  names.map((text) => (text.startsWith('>') ? '<' : '>') + text.slice(1))

const suites: readonly (readonly [SecureVersion, string, readonly string[]])[] = [
  ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', full13],
  ['TLSv1.3', 'TLS_AES_256_GCM_SHA384', full13],
  ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256', full13],
  ['TLSv1.3', 'TLS_AES_128_CCM_SHA256', full13],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256', full12],
  ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', full12],
  ['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305', full12],
]

describe.each(suites)('onMessage, %s %s', (version, ciphers, expected) => {
  const limits = { minVersion: version, maxVersion: version, ciphers }

  it('tells a client every message, decrypted', async () => {
    await using server = await tlsServer(limits)
    const messages: TlsMessage[] = []
    const socket = await connect({
      host: '127.0.0.1',
      port: server.port,
      ca,
      ...limits,
      onMessage: (message) => messages.push(message),
    })
    expect(socket.getCipher().standardName ?? '').not.toBe('')
    socket.write('ping')
    await once(socket, 'data')
    socket.end()
    await once(socket, 'end')
    const names = messages.map(name)
    expect(names.slice(0, expected.length)).toEqual(expected)
    expect(names).not.toContain('<new_session_ticket?')
    expect(names.filter((text) => text.endsWith('?'))).toEqual([])
    expect(names.slice(expected.length)).toEqual(
      expect.arrayContaining(['>application_data', '<application_data', '>alert', '<alert']),
    )
    if (version === 'TLSv1.3') expect(names).toContain('<new_session_ticket')
    const certificate = messages.find(({ handshakeType }) => handshakeType === 'certificate')
    expect(Buffer.from(certificate?.bytes ?? []).includes(identity.certificate.raw)).toBe(true)
    const data = messages.filter(({ contentType }) => contentType === 'application_data')
    expect(Buffer.concat(data.map(({ bytes }) => bytes)).toString()).toBe('pingping')
    expect(messages.at(-1)).toMatchObject({ version, contentType: 'alert', bytes: Buffer.from([1, 0]) })
    expect(
      messages.filter(({ handshakeType }) => handshakeType !== undefined).every(({ bytes }) => lengthFits(bytes)),
    ).toBe(true)
  })

  it('tells a server the same, from the other side', async () => {
    const messages: TlsMessage[] = []
    const server = await listen({
      host: '127.0.0.1',
      port: 0,
      cert: identity.cert,
      key: identity.key,
      ...limits,
      onMessage: (message) => messages.push(message),
    })
    server.on('connection', (socket) => socket.on('error', () => undefined).pipe(socket))
    const client = connectTls({ port: (server.address() as { port: number }).port, host: '127.0.0.1', ca, ...limits })
    client.write('ping')
    await once(client, 'data')
    client.end()
    await once(client, 'close')
    const names = messages.map(name)
    const wanted = mirrored(expected)
    expect(names.slice(0, wanted.length)).toEqual(wanted)
    expect(names.filter((text) => text.endsWith('?'))).toEqual([])
    expect(names).toEqual(expect.arrayContaining(['<application_data', '>application_data', '<alert']))
    server.closeAllConnections()
    await server.close()
  })
})

function lengthFits(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).readUIntBE(1, 3) + 4 === bytes.length
}

describe('onMessage', () => {
  it('shows a HelloRetryRequest and the second hello', async () => {
    await using server = await tlsServer({ ecdhCurve: 'P-384', minVersion: 'TLSv1.3' })
    const names: string[] = []
    const socket = await connect({
      host: '127.0.0.1',
      port: server.port,
      ca,
      ecdhCurve: 'X25519:P-384',
      onMessage: (message) => names.push(name(message)),
    })
    expect(names.slice(0, 8)).toEqual([
      '>client_hello',
      '<hello_retry_request',
      '>change_cipher_spec',
      '>client_hello',
      '<change_cipher_spec',
      '<server_hello',
      '<encrypted_extensions',
      '<certificate',
    ])
    socket.end()
    await once(socket.resume(), 'end')
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'shows a %s resumption, in which there is no certificate',
    async (version) => {
      await using server = await tlsServer({ maxVersion: version })
      const sessionCache = new SessionCache({ maxSize: 10 })
      const rounds: string[][] = []
      for (let round = 0; round < 2; round++) {
        const names: string[] = []
        rounds.push(names)
        const socket = await connect({
          host: '127.0.0.1',
          port: server.port,
          ca,
          sessionCache,
          onMessage: (message) => names.push(name(message)),
        })
        socket.write('ping')
        await once(socket, 'data')
        expect(socket.sessionReused).toBe(round === 1)
        socket.end()
        await once(socket, 'close')
      }
      expect(rounds.map((names) => names.includes('<certificate'))).toEqual([true, false])
      expect(rounds.flat().filter((text) => text.endsWith('?'))).toEqual([])
      expect(rounds[1]).toEqual(expect.arrayContaining(['<finished', '>finished', '<application_data']))
    },
  )

  it('says what it cannot decrypt: suites with CBC', async () => {
    await using server = await tlsServer({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' })
    const names: string[] = []
    const socket = await connect({
      host: '127.0.0.1',
      port: server.port,
      ca,
      ciphers: 'ECDHE-ECDSA-AES128-SHA256',
      onMessage: (message) => names.push(name(message)),
    })
    expect(names).toEqual(expect.arrayContaining(['>client_key_exchange', '>handshake?', '<handshake?']))
    socket.end()
    await once(socket.resume(), 'end')
  })

  it('survives records that are none and keys that are wrong', () => {
    const messages: TlsMessage[] = []
    const observer = observe('client', (message) => messages.push(message))
    observer.secret(Buffer.from('nonsense'))
    observer.sent(Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0]))
    observer.received(Buffer.from([22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3]))
    observer.received(Buffer.from([20, 3, 3, 0, 1, 1]))
    observer.received(Buffer.from([23, 3, 3, 0, 2, 1, 2]))
    observer.received(Buffer.from([99, 3, 3, 0, 2, 1, 2]))
    expect(messages.map(name)).toEqual(['>client_hello', '<server_hello', '<change_cipher_spec', '<application_data?'])
  })
})
