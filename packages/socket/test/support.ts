import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls'
import { createAuthority } from '@x/utils'
import { afterAll } from 'vitest'
import { connect, type ConnectOptions, type SecureSocket } from '../src/index.ts'

/** One CA for a test file, and a server certificate for the names that tests connect by. */
export const authority = createAuthority('socket tests')
export const identity = authority.issue(['localhost', '127.0.0.1', '::1', 'www.example.org'])

export interface TestServer extends AsyncDisposable {
  readonly port: number
  readonly server: Server
  /** Everything that clients have sent, decrypted, in order of arrival. */
  readonly received: () => string
}

/** A node:tls server on a free port; it is not ours, so that it checks us. */
export async function tlsServer(
  options: TlsOptions = {},
  onSocket: (socket: TLSSocket) => void = echo,
): Promise<TestServer> {
  const server = createServer({ cert: identity.cert, key: identity.key, ...options })
  return await started(server, 'secureConnection', onSocket as (socket: Socket) => void)
}

export async function tcpServer(onSocket: (socket: Socket) => void): Promise<TestServer> {
  return await started(createTcpServer(), 'connection', onSocket)
}

async function started(server: Server, event: string, onSocket: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>()
  const chunks: Buffer[] = []
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  server.on(event, (socket: Socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    onSocket(socket)
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    received: () => Buffer.concat(chunks).toString('latin1'),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export function echo(socket: Socket): void {
  socket.pipe(socket)
}

/** What a promise is rejected with; a promise that resolves is a failure of the test. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('resolved, but a rejection was expected')
}

/** One connection with data both ways, after which the server's tickets have arrived; closed at the end. */
export async function visit(options: ConnectOptions): Promise<SecureSocket> {
  const socket = await connect(options)
  socket.write('ping')
  await once(socket, 'data')
  socket.end()
  await once(socket, 'close')
  return socket
}

/** A folder that is removed when the tests of the file are done, and a way to put files there. */
export function scratch(): { readonly folder: string; readonly file: (content: string | Uint8Array) => string } {
  const folder = mkdtempSync(join(tmpdir(), 'x-socket-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  let files = 0
  return {
    folder,
    file(content) {
      const path = join(folder, String(files++))
      writeFileSync(path, content)
      return path
    },
  }
}

/** The next `length` bytes of a stream, or a chunk more, as Latin-1. */
export async function readText(stream: Duplex, length: number): Promise<string> {
  let got = ''
  while (got.length < length) {
    const chunk = stream.read() as Buffer | null
    if (chunk === null) await once(stream, 'readable')
    else got += chunk.toString('latin1')
  }
  return got
}
