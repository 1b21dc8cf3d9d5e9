import { once } from 'node:events'
import { createServer as createHttp, get } from 'node:http'
import { connect as connectHttp2, createSecureServer } from 'node:http2'
import { request } from 'node:https'
import { connect as connectTcp, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { connect, listen, type SecureSocket } from '../src/index.ts'
import { accepted, closed, echoing, ourServer, refusal, speak, visit } from './server-support.ts'
import { Pending } from '../src/pending.ts'
import { authority, identity, rejection } from './support.ts'

const served = { cert: identity.cert, key: identity.key, host: '127.0.0.1', port: 0 }
const ca = authority.ca

/** The first message of a real client. */
async function realHello(): Promise<Buffer> {
  await using server = await ourServer()
  const seen = accepted(server).then((socket) => socket.clientHello?.raw)
  echoing(server)
  await visit(server.port)
  const message = Buffer.from((await seen) ?? [])
  return Buffer.concat([Buffer.from([22, 3, 1, message.length >> 8, message.length & 255]), message])
}

/** The same in records of at most `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer[] {
  const records: Buffer[] = []
  for (let at = 5; at < hello.length; at += size) {
    const part = hello.subarray(at, at + size)
    records.push(Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]))
  }
  return records
}

describe('listen', () => {
  it('serves by events and by iteration, and ends with close', async () => {
    const server = await ourServer()
    const iterated: SecureSocket[] = []
    const done = (async () => {
      for await (const socket of server) {
        iterated.push(socket)
        socket.pipe(socket)
      }
    })()
    expect((await visit(server.port)).answer).toBe('ping')
    expect((await visit(server.port)).answer).toBe('ping')
    await server.close()
    await done
    expect(iterated.length).toBe(2)
    expect(server.address()).toBeUndefined()
  })

  it('rejects where it cannot listen', async () => {
    await using server = await ourServer()
    expect(await rejection(listen({ ...served, port: server.port }))).toMatchObject({ code: 'EADDRINUSE' })
    expect(await rejection(listen({ host: '127.0.0.1', port: 0 }))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  it.each([
    ['maxHelloSize', 0],
    ['maxHandshakes', 1.5],
    ['maxConnections', '1'],
    ['watch', 'yes'],
    ['onPlaintext', true],
    ['onHello', {}],
    ['ticketKeys', Buffer.alloc(47)],
    ['ticketKeys', 'k'.repeat(48)],
    ['stapler', () => undefined],
    ['hosts', []],
    ['servername', 'x'],
    ['SNICallback', () => undefined],
  ])('refuses %s: %j', async (option, value) => {
    const error = await rejection(listen({ ...served, [option]: value }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(option)
  })

  it('knows addresses and counts bytes', async () => {
    await using server = await ourServer()
    echoing(server)
    const [socket, client] = await Promise.all([
      accepted(server),
      connect({ host: '127.0.0.1', port: server.port, ca, verify: { name: 'localhost' } }),
    ])
    expect([socket.remoteAddress, socket.remotePort]).toEqual(['127.0.0.1', client.localPort])
    expect([socket.localAddress, socket.localPort]).toEqual(['127.0.0.1', server.port])
    client.write('hello')
    await once(client, 'data')
    expect(socket.bytesRead).toBe(client.bytesWritten)
    expect(server.connections).toBe(1)
    client.destroy()
    await closed(socket)
    expect(server.connections).toBe(0)
  })

  it('closes with a signal, and drains', async () => {
    const stop = new AbortController()
    const server = await ourServer({ signal: stop.signal })
    echoing(server)
    const client = await connect({ host: '127.0.0.1', port: server.port, ca, verify: { name: 'localhost' } })
    const over = once(server, 'close')
    stop.abort()
    client.write('still here')
    expect(String((await once(client, 'data'))[0])).toBe('still here')
    client.end()
    await over
  })

  it('drops more than maxConnections', async () => {
    await using server = await ourServer({ maxConnections: 1 })
    echoing(server)
    const client = await connect({ host: '127.0.0.1', port: server.port, ca, verify: { name: 'localhost' } })
    const dropped = once(server, 'drop')
    expect((await visit(server.port)).answer).toBe('')
    await dropped
    client.destroy()
  })

  it('offers no weak suites, no renegotiation, and nothing below TLS 1.2', async () => {
    await using server = await ourServer()
    echoing(server)
    for (const ciphers of ['ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-SHA384'])
      expect((await visit(server.port, { ciphers, maxVersion: 'TLSv1.2' })).error).toBeDefined()
    expect(
      (await visit(server.port, { ciphers: 'ALL:@SECLEVEL=0', minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).error,
    ).toBeDefined()
  })
})

describe('before TLS', () => {
  it.each([1, 7, 40, 10_000])('takes a hello in records of %i bytes', async (size) => {
    await using server = await ourServer()
    const records = inRecords(await realHello(), size)
    const answer = await new Promise<Buffer>((resolve) => {
      const socket = connectTcp(server.port, '127.0.0.1', () => socket.write(Buffer.concat(records)))
      socket
        .on('error', () => undefined)
        .once('data', (chunk: Buffer) => {
          socket.destroy()
          resolve(chunk)
        })
    })
    expect([...answer.subarray(0, 3)]).toEqual([22, 3, 3]) // a ServerHello
  })

  it('takes a hello byte by byte', async () => {
    await using server = await ourServer()
    const hello = await realHello()
    const socket = connectTcp({ port: server.port, host: '127.0.0.1', noDelay: true })
    const answer = once(socket, 'data')
    for (const byte of hello) await new Promise((resolve) => socket.write(Buffer.of(byte), resolve))
    expect([...((await answer)[0] as Buffer).subarray(0, 3)]).toEqual([22, 3, 3])
    socket.destroy()
  })

  it.each([
    [
      'of more bytes than allowed',
      () => Buffer.concat([Buffer.from([22, 3, 1, 64, 0, 1, 0, 255, 255]), Buffer.alloc(17_000)]),
    ],
    ['that is another message', () => Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['that is an alert', () => Buffer.from([21, 3, 1, 0, 2, 2, 0])],
    ['in an empty record', () => Buffer.from([22, 3, 1, 0, 0])],
    ['with a length that lies', () => Buffer.from([22, 3, 1, 0, 44, 1, 0, 0, 40, 3, 3, ...Buffer.alloc(38, 255)])],
  ])('refuses a hello %s', async (_what, bytes) => {
    await using server = await ourServer()
    const told = refusal(server)
    expect((await speak(server.port, bytes())).length).toBe(0)
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLIENT_HELLO', phase: 'handshake', host: '127.0.0.1' })
  })

  it('closes clients that do not speak TLS, and says what they said', async () => {
    await using server = await ourServer()
    const told = refusal(server)
    expect((await speak(server.port, 'GET / HTTP/1.0\r\n\r\n')).length).toBe(0)
    expect(await told).toMatchObject({
      code: 'ERR_SECURE_SOCKET_NOT_TLS',
      message: expect.stringContaining('GET / HTTP'),
    })
  })

  it('hands them to onPlaintext with their bytes', async () => {
    const http = createHttp((_request, response) => response.writeHead(426).end('TLS, please'))
    const began: string[] = []
    await using server = await ourServer({
      onPlaintext: (socket, bytes) => {
        began.push(Buffer.from(bytes).toString())
        expect(socket.phase).toBe('plain')
        http.emit('connection', socket)
      },
    })
    echoing(server)
    const [response] = await once(get({ host: '127.0.0.1', port: server.port, agent: false }), 'response')
    expect((response as { statusCode: number }).statusCode).toBe(426)
    response.resume()
    expect(began[0]).toMatch(/^GET \/ HTTP\/1.1\r\n/)
    expect((await visit(server.port)).answer).toBe('ping')
  })

  it('reports clients that leave, each with its address', async () => {
    await using server = await ourServer()
    for (const bytes of [Buffer.alloc(0), Buffer.of(22), (await realHello()).subarray(0, 50)]) {
      const told = refusal(server)
      const socket = connectTcp(server.port, '127.0.0.1', () => socket.end(bytes))
      socket.on('error', () => undefined)
      expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_HANDSHAKE_INTERRUPTED', host: '127.0.0.1' })
      await closed(socket)
    }
  })
})

describe('slow and hostile clients', () => {
  it('500 that stall delay nobody, and are closed at their deadline', async () => {
    await using server = await ourServer({ handshakeTimeout: 6_000 })
    echoing(server)
    const part = (await realHello()).subarray(0, 100)
    const refused: unknown[] = []
    server.on('tlsClientError', (error) => refused.push((error as { code?: unknown }).code))
    const stalled = Array.from({ length: 500 }, (_, index) => {
      const socket = connectTcp(server.port, '127.0.0.1')
      if (index % 2 === 0) socket.write(part)
      return socket.on('error', () => undefined).resume()
    })
    await Promise.all(stalled.map((socket) => once(socket, 'connect')))
    const visits = await Promise.all(Array.from({ length: 10 }, () => visit(server.port)))
    expect(visits.every(({ answer }) => answer === 'ping')).toBe(true)
    // served while all of them still stall
    expect([server.handshakes, refused]).toEqual([500, []])
    await Promise.all(stalled.map(closed))
    expect(refused.length).toBe(500)
    expect(new Set(refused)).toEqual(new Set(['ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT']))
    expect(server.handshakes).toBe(0)
  })

  it('with too many under way, the one goes that has been silent longest', async () => {
    await using server = await ourServer({ maxHandshakes: 2 })
    echoing(server)
    const silent: Socket[] = []
    for (let i = 0; i < 2; i++) {
      const socket = connectTcp(server.port, '127.0.0.1').on('error', () => undefined)
      await once(socket, 'connect')
      silent.push(socket.resume())
    }
    const oldest = silent[0]?.localPort
    const told = refusal(server)
    expect((await visit(server.port)).answer).toBe('ping')
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_OVERLOADED', port: oldest })
    expect(silent[1]?.destroyed).toBe(false)
    for (const socket of silent) socket.destroy()
  })

  it('with too many that have spoken, the newcomer goes', async () => {
    await using server = await ourServer({ maxHandshakes: 1 })
    echoing(server)
    const speaking = connectTcp(server.port, '127.0.0.1').on('error', () => undefined)
    speaking.write((await realHello()).subarray(0, 50))
    while (server.handshakes === 0) await new Promise(setImmediate)
    await new Promise((resolve) => setTimeout(resolve, 20)) // the bytes have to arrive: nothing tells
    expect((await visit(server.port)).answer).toBe('')
    speaking.destroy()
  })

  it('the newcomer has its deadline, also where a listener throws as another goes for it', async () => {
    const pending = new Pending(1, 20)
    const listener = new Error('listener')
    pending.add({
      evict: () => {
        throw listener
      },
    })
    const told = new Promise((resolve) => {
      expect(() => pending.add({ evict: resolve })).toThrow(listener)
    })
    const alive = setTimeout(() => undefined, 10_000) // the clock keeps no process alive
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT' })
    clearTimeout(alive)
    expect(pending.size).toBe(0)
  })

  it('closing everything ends those under way, too', async () => {
    const server = await ourServer()
    const socket = connectTcp(server.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume()
    await once(socket, 'connect')
    while (server.handshakes === 0) await new Promise(setImmediate)
    server.closeAllConnections()
    await server.close()
    await closed(socket)
  })
})

describe('behind servers of Node', () => {
  it('http', async () => {
    const http = createHttp((incoming, response) => {
      response.end(`${incoming.url} ${(incoming.socket as SecureSocket).encrypted} ${incoming.socket.remoteAddress}`)
    })
    await using server = await ourServer()
    server.on('connection', (socket) => http.emit('connection', socket))
    const answer = await new Promise<string>((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: server.port, path: '/x', ca, servername: 'localhost', agent: false },
        (response) => response.setEncoding('utf8').on('data', resolve),
      )
      asked.on('error', reject).end()
    })
    expect(answer).toBe('/x true 127.0.0.1')
  })

  it('http2', async () => {
    const http2 = createSecureServer({ cert: identity.cert, key: identity.key }, (incoming, response) => {
      response.end(`${incoming.url} over ${incoming.httpVersion}`)
    })
    await using server = await ourServer({ ALPNProtocols: ['h2'] })
    server.on('connection', (socket) => http2.emit('secureConnection', socket))
    const session = connectHttp2(`https://localhost:${server.port}`, {
      ca,
      host: '127.0.0.1',
      servername: 'localhost',
    } as never)
    const stream = session.request({ ':path': '/y' }).setEncoding('utf8')
    expect((await once(stream, 'data'))[0]).toBe('/y over 2.0')
    session.destroy()
    await once(session, 'close')
  })
})

describe('startHandshake: false', () => {
  it('starts TLS later, with the hosts that the server then has', async () => {
    await using server = await ourServer({
      hosts: { localhost: { cert: identity.cert, key: identity.key } },
      startHandshake: false,
      maxHelloSize: 8_000,
    })
    const names: unknown[] = []
    const talk = async (socket: SecureSocket): Promise<void> => {
      await once(socket, 'data')
      socket.write('go')
      await socket.startTls()
      names.push(socket.servername, socket.clientHello?.servername)
      socket.pipe(socket)
    }
    server.on('connection', (socket) => void talk(socket))
    const client = await connect({
      host: '127.0.0.1',
      port: server.port,
      servername: 'localhost',
      ca,
      startHandshake: false,
    })
    client.write('STARTTLS')
    await once(client, 'data')
    await client.startTls()
    client.write('secret')
    expect(String((await once(client, 'data'))[0])).toBe('secret')
    expect(names).toEqual(['localhost', 'localhost'])
    client.destroy()
  })
})
