// not run by itself: part of main.ts. An HTTP proxy that looks into TLS.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { finished } from 'node:stream'
import type { Interceptor } from '@x/intercept'
import { type ConnectOptions, type SecureSocket, startTls } from '@x/socket'
import { http1Log, http2Log } from './exchange-log.ts'
import { peekClientHello } from './first-bytes.ts'
import { connectOrigin, type Destination, mustBeUntrusted } from './origin.ts'
import { relay } from './relay.ts'

export interface ProxyOptions {
  readonly interceptor: Interceptor
  /** Hosts (`example.org`, `*.example.org`) that are not looked into: their clients pin certificates, or it is none of your business. */
  readonly tunnel?: readonly string[]
  /** Whom origins are verified against. Default: what this machine trusts. */
  readonly trust?: Pick<ConnectOptions, 'ca' | 'caFile' | 'caPath' | 'caStore' | 'revocation'>
  /** Where origins really are; default: where their names say. */
  readonly resolve?: (host: string, port: number) => { readonly host: string; readonly port: number }
  readonly log?: (line: string) => void
}

/** The proxy, not yet listening. `close` it, and then its connections, as any http.Server. */
export function createMitmProxy(options: ProxyOptions): Server {
  const server = createServer((message, response) => void forward(message, response, options))
  server.on('connect', (message: IncomingMessage, client: Socket, head: Buffer) => {
    client.on('error', () => undefined) // a client that is gone
    if (head.length > 0) client.unshift(head)
    serve(message.url ?? '', client, options).catch((error: unknown) => {
      options.log?.(`${message.url}: ${describe(error)}`)
      client.destroy()
    })
  })
  return server
}

async function serve(target: string, client: Socket, options: ProxyOptions): Promise<void> {
  const { tunnel = [], trust = {}, log = console.log, interceptor } = options
  const address = parseTarget(target)
  if (address === undefined) return void client.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  const place = options.resolve?.(address.host, address.port) ?? address
  const transport = await reach(place).catch((error: unknown) => {
    client.end(`HTTP/1.1 502 Bad Gateway\r\n\r\n${describe(error)}\n`)
    throw error
  })
  client.write('HTTP/1.1 200 Connection Established\r\n\r\n')

  const untouched = isTunnelled(address.host, tunnel)
  const hello = untouched ? undefined : await peekClientHello(client, transport)
  if (hello === undefined) {
    const { up, down } = await relay(client, transport)
    return log(`${target} tunnelled${untouched ? '' : ' (no TLS)'}: ${up} bytes up, ${down} down`)
  }

  const name = hello.servername ?? address.host
  const known = hello.alpn.filter((protocol) => protocol === 'h2' || protocol === 'http/1.1')
  const destination: Destination = { ...place, name, alpn: known }
  const origin = await connectOrigin(transport, destination, trust)
  if (!origin.trusted) {
    log(`${target} ${name}: the origin is not trusted: ${describe(origin.reason)}`)
    const context = interceptor.secureContext(origin.certificate, { untrusted: mustBeUntrusted(origin.reason) })
    const refusing = await secure(client, context, undefined)
    // A client that accepts even this certificate is told why there is nothing for it.
    return void refusing.end(`HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n${describe(origin.reason)}\n`)
  }

  const chosen = origin.socket.alpnProtocol || undefined
  const secured = await secure(client, interceptor.secureContext(origin.certificate), chosen).catch(
    (error: unknown) => {
      origin.socket.destroy()
      throw error
    },
  )
  const protocol = secured.getProtocol()
  const line = (text: string): void => log(`${name}: ${text}`)
  const { up, down } = await relay(secured, origin.socket, chosen === 'h2' ? http2Log(line) : http1Log(line))
  log(`${target} ${name} ${chosen ?? 'no ALPN'} ${protocol}: ${up} bytes up, ${down} down`)
}

/** The client's side of TLS, with the clone. Its hello has been received already, and is handed over as `head`. */
async function secure(
  client: Socket,
  secureContext: ReturnType<Interceptor['secureContext']>,
  alpn: string | undefined,
): Promise<SecureSocket> {
  const head = client.read() as Buffer | null
  try {
    const socket = await startTls(client, {
      isServer: true,
      secureContext,
      ...(head === null ? {} : { head }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    })
    return socket.on('error', () => undefined) // the relay sees it
  } catch (cause) {
    throw new Error(`the client broke off: it does not trust the clone? ${describe(cause)}`, { cause })
  }
}

/** HTTP without TLS: the request names the whole URL (RFC 9112 section 3.2.2). */
async function forward(
  message: IncomingMessage,
  response: ServerResponse,
  { log = console.log }: ProxyOptions,
): Promise<void> {
  const url = URL.canParse(message.url ?? '') ? new URL(message.url ?? '') : undefined
  if (url?.protocol !== 'http:') return void response.writeHead(400).end('This is a proxy.\n')
  const { 'proxy-connection': _connection, 'proxy-authorization': _credentials, ...headers } = message.headers
  const upstream = request(url, { method: message.method ?? 'GET', headers }, (answer) => {
    log(`${message.method} ${url.href.slice(0, 300)} -> ${answer.statusCode}`)
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  upstream.on('error', (error) => {
    log(`${message.method} ${url.host}: ${describe(error)}`)
    if (!response.headersSent) response.writeHead(502)
    response.end()
  })
  finished(response, () => upstream.destroy())
  message.pipe(upstream)
}

async function reach({ host, port }: { readonly host: string; readonly port: number }): Promise<Socket> {
  const socket = connectTcp({ host, port, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
  })
  return socket.removeAllListeners('error').on('error', () => undefined)
}

function parseTarget(target: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]{1,253})):([0-9]{1,5})$/i.exec(target)
  const host = match?.[1] ?? match?.[2]
  return host === undefined || Number(match?.[3]) > 65_535 ? undefined : { host, port: Number(match?.[3]) }
}

function isTunnelled(host: string, tunnel: readonly string[]): boolean {
  const name = host.toLowerCase()
  return tunnel.some((entry) =>
    entry.startsWith('*.') ? name.endsWith(entry.slice(1).toLowerCase()) : name === entry.toLowerCase(),
  )
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
