import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { listen, type ListenOptions, type SecureServer, type SecureSocket } from '../src/index.ts'
import { authority, identity } from './support.ts'

/** A server of ours on a free port, whose 'error' events of sockets and refusals end no test. */
export async function ourServer(options: ListenOptions = {}): Promise<SecureServer & { readonly port: number }> {
  const own = ['cert', 'hosts', 'onHello', 'certFile', 'pfx', 'secureContext'].some((key) => key in options)
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    ...(own ? {} : { cert: identity.cert, key: identity.key }),
    ...options,
  })
  server.on('tlsClientError', () => undefined)
  server.on('connection', (socket) => socket.on('error', () => undefined))
  const { port } = server.address() as { port: number }
  return Object.assign(server, { port })
}

export function echoing(server: SecureServer): void {
  server.on('connection', (socket) => socket.pipe(socket))
}

/** A client that is node:tls, not ours: what became of its handshake, and what the server answered to 'ping'. */
export interface Visit {
  readonly answer: string
  readonly error: (Error & { readonly code?: string }) | undefined
  readonly subject: string | undefined
  readonly reused: boolean
  readonly protocol: string | null
  readonly cipher: string | undefined
  readonly alpn: string | false | null
  readonly session: Buffer | undefined
  /** How many sessions Node has reported. */
  readonly tickets: number
}

export async function visit(port: number, options: ConnectionOptions = {}): Promise<Visit> {
  const socket = connectTls({ port, host: '127.0.0.1', ca: authority.ca, servername: 'localhost', ...options })
  let error: Visit['error']
  let session: Buffer | undefined
  let tickets = 0
  let told: Omit<Visit, 'answer' | 'error' | 'session' | 'tickets'> = {
    subject: undefined,
    reused: false,
    protocol: null,
    cipher: undefined,
    alpn: null,
  }
  const chunks: Buffer[] = []
  socket
    .on('error', (reason) => (error = reason))
    .on('session', (received) => {
      session = received
      tickets++
    })
  socket.on('secureConnect', () => {
    told = {
      subject: socket.getPeerX509Certificate()?.subject,
      reused: socket.isSessionReused(),
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().standardName,
      alpn: socket.alpnProtocol,
    }
    socket.write('ping')
  })
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    // a ticket that is renewed on resumption comes without an event in TLS 1.2
    if (told.protocol === 'TLSv1.2') session = socket.getSession()
    socket.end()
  })
  await closed(socket)
  return { ...told, answer: Buffer.concat(chunks).toString('latin1'), error, session, tickets }
}

export async function closed(socket: Socket | TLSSocket): Promise<void> {
  if (!socket.closed) await once(socket, 'close').catch(() => undefined)
}

/** A TCP client that says these bytes and collects what comes back until the server closes. */
export async function speak(port: number, ...segments: readonly (string | Uint8Array)[]): Promise<Buffer> {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  const chunks: Buffer[] = []
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'connect')
  for (const segment of segments) await new Promise((resolve) => socket.write(segment, resolve))
  await closed(socket)
  return Buffer.concat(chunks)
}

/** What the server tells of the next client that it refuses. */
export async function refusal(server: SecureServer): Promise<Error & Record<string, unknown>> {
  const [error] = (await once(server, 'tlsClientError')) as [Error & Record<string, unknown>]
  return error
}

export async function accepted(server: SecureServer): Promise<SecureSocket> {
  const [socket] = (await once(server, 'connection')) as [SecureSocket]
  return socket
}
