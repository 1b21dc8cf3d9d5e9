import {
  connect,
  createAgent,
  listen,
  type ListenOptions,
  type SecureServer,
  type SecureSocket,
  tlsOptions,
} from '@x/socket'
import { createAuthority } from '@x/utils'
import { Client as FtpClient } from 'basic-ftp'
import { ImapFlow } from 'imapflow'
import { Client as LdapClient } from 'ldapts'
import { createServer } from 'node:http'
import { createTransport } from 'nodemailer'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

/*
 * Libraries as they are installed, over sockets and options of ours, against small servers of ours: each once trusted, and
 * once with a server that has another name than asked for.
 */

const authority = createAuthority('libraries')
const { cert, key } = authority.issue('localhost')
const right = { ca: authority.ca, verify: { name: 'localhost' } }
const wrong = { ca: authority.ca, verify: { name: 'other.example.org' } }
const refusal = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }

interface Serving extends AsyncDisposable {
  readonly port: number
  readonly server: SecureServer
}

async function serve(handle: (socket: SecureSocket) => void, options: ListenOptions = {}): Promise<Serving> {
  const server = await listen({ host: '127.0.0.1', port: 0, cert, key, ...options })
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    handle(socket)
  })
  return {
    server,
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** A dialogue of lines: what is answered to each. */
function answerLines(socket: SecureSocket, greeting: string, answer: (line: string) => string | undefined): void {
  socket.write(greeting)
  void (async () => {
    for await (const line of socket.lines()) {
      const reply = answer(String(line).trimEnd())
      if (reply === undefined) return
      socket.write(reply)
    }
  })().catch(() => undefined)
}

const text = (data: unknown): string => (Buffer.isBuffer(data) ? data.toString() : 'no buffer')

describe('ws', () => {
  it('through createAgent', async () => {
    const http = createServer()
    const websockets = new WebSocketServer({ server: http })
    websockets.on('connection', (peer) => peer.on('message', (data) => peer.send(`echo ${text(data)}`)))
    await using serving = await serve((socket) => void http.emit('connection', socket))
    const url = `wss://127.0.0.1:${serving.port}`
    const socket = new WebSocket(url, { agent: createAgent(right) })
    socket.on('open', () => socket.send('hello'))
    const received = await new Promise((resolve, reject) => {
      socket.on('message', (data) => resolve(text(data))).on('error', reject)
    })
    expect(received).toBe('echo hello')
    socket.terminate()
    const refused = new WebSocket(url, { agent: createAgent(wrong) })
    expect(await new Promise((resolve) => refused.on('error', resolve))).toMatchObject(refusal)
    websockets.close()
  })
})

describe('nodemailer', () => {
  const replies = (line: string): string => {
    if (/^EHLO/i.test(line)) return '250-localhost\r\n250 8BITMIME\r\n'
    if (/^DATA/i.test(line)) return '354 go on\r\n'
    if (/^QUIT/i.test(line)) return '221 bye\r\n'
    return /^(?:MAIL|RCPT|\.$)/i.test(line) ? '250 ok\r\n' : ''
  }
  const message = { from: 'a@example.org', to: 'b@example.org', subject: 'x', text: 'hello' }

  it('over a socket of ours, and with plain options', async () => {
    await using serving = await serve((socket) => answerLines(socket, '220 localhost ESMTP\r\n', replies))
    const where = { host: '127.0.0.1', port: serving.port }
    const connection = await connect({ ...where, ...right })
    const ready = createTransport({ ...where, secure: true, secured: true, connection } as object)
    expect(await ready.sendMail(message)).toMatchObject({ response: '250 ok' })
    const plain = createTransport({ ...where, secure: true, tls: tlsOptions(right) } as object)
    expect(await plain.sendMail(message)).toMatchObject({ response: '250 ok' })
    const refused = createTransport({ ...where, secure: true, tls: tlsOptions(wrong) } as object)
    await expect(refused.sendMail(message)).rejects.toMatchObject({
      message: expect.stringContaining('other.example.org'),
    })
  })
})

describe('imapflow', () => {
  it('with plain options', async () => {
    await using serving = await serve((socket) =>
      answerLines(socket, '* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n', (line) => {
        const [tag = '', command = ''] = line.split(' ')
        const extra = /^CAPABILITY$/i.test(command) ? '* CAPABILITY IMAP4rev1\r\n' : ''
        return `${extra}${/^LOGOUT$/i.test(command) ? '* BYE\r\n' : ''}${tag} OK done\r\n`
      }),
    )
    const client = (options: typeof right): ImapFlow =>
      new ImapFlow({
        host: '127.0.0.1',
        port: serving.port,
        secure: true,
        logger: false,
        tls: tlsOptions(options),
      })
    const trusted = client(right)
    await trusted.connect()
    expect(trusted.usable).toBe(true)
    await trusted.logout()
    const refused = client(wrong)
    refused.on('error', () => undefined)
    await expect(refused.connect()).rejects.toMatchObject(refusal)
  })
})

describe('ldapts', () => {
  it('with plain options', async () => {
    await using serving = await serve((socket) => {
      socket.on('data', (request: Buffer) => {
        const id = request[4] ?? 0
        if (request[5] !== 0x60) return // a BindRequest (RFC 4511 section 4.2)
        socket.write(Buffer.from([0x30, 12, 2, 1, id, 0x61, 7, 0x0a, 1, 0, 4, 0, 4, 0]))
      })
    })
    const client = (options: typeof right): LdapClient =>
      new LdapClient({ url: `ldaps://127.0.0.1:${serving.port}`, tlsOptions: tlsOptions(options) })
    const trusted = client(right)
    await trusted.bind('cn=me', 'x')
    expect(trusted.isConnected).toBe(true)
    await trusted.unbind()
    await expect(client(wrong).bind('cn=me', 'x')).rejects.toMatchObject(refusal)
  })
})

describe('pg', () => {
  it('with plain options, behind its SSLRequest', async () => {
    const ok = Buffer.concat([Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1'), Buffer.from('Z\0\0\0\x05I', 'latin1')])
    await using serving = await serve(
      (socket) => {
        void (async () => {
          await socket.readBytes(8)
          socket.write('S')
          await socket.startTls({ isServer: true })
          const length = (await socket.readBytes(4)).readUInt32BE()
          await socket.readBytes(length - 4)
          socket.write(ok)
          await socket.readBytes(5) // Terminate
          socket.end()
        })().catch(() => undefined)
      },
      { startHandshake: false },
    )
    const client = (options: typeof right): pg.Client =>
      new pg.Client({ host: '127.0.0.1', port: serving.port, user: 'me', database: 'x', ssl: tlsOptions(options) })
    const trusted = client(right)
    await trusted.connect()
    await trusted.end()
    await expect(client(wrong).connect()).rejects.toMatchObject(refusal)
  })
})

describe('basic-ftp', () => {
  it('with plain options, behind AUTH TLS', async () => {
    await using serving = await serve(
      (socket) => {
        void (async () => {
          socket.write('220 hello\r\n')
          await socket.readLine()
          socket.write('234 go on\r\n')
          await socket.startTls({ isServer: true })
          answerLines(socket, '', (line) => {
            if (line.startsWith('USER')) return '331 password\r\n'
            if (line.startsWith('PASS')) return '230 welcome\r\n'
            return line.startsWith('PWD') ? '257 "/here"\r\n' : '200 ok\r\n'
          })
        })().catch(() => undefined)
      },
      { startHandshake: false },
    )
    const access = (client: FtpClient, options: typeof right) =>
      client.access({ host: '127.0.0.1', port: serving.port, secure: true, secureOptions: tlsOptions(options) })
    const trusted = new FtpClient(3_000)
    await access(trusted, right)
    expect(await trusted.pwd()).toBe('/here')
    trusted.close()
    const refused = new FtpClient(3_000)
    await expect(access(refused, wrong)).rejects.toMatchObject(refusal)
    refused.close()
  })
})
