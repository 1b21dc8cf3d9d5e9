import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { Interceptor } from '@x/intercept'
import { type Authority, createAuthority, type IssuedIdentity } from '@x/utils'
import { createMitmProxy } from '../../../examples/mitm-proxy/proxy.ts'

/** A small internet on loopback: origins by name, a proxy in front of them, and what the proxy said. */
export class World implements AsyncDisposable {
  readonly originCa: Authority = createAuthority('Origin CA')
  readonly proxyCa: Authority = createAuthority('Proxy CA')
  readonly interceptor: Interceptor
  readonly log: string[] = []
  readonly #ports = new Map<string, number>()
  readonly #servers: Server[] = []
  port = 0

  constructor() {
    const { certificate, privateKey } = this.proxyCa
    this.interceptor = new Interceptor({ certificate, privateKey })
  }

  async start(tunnel: readonly string[] = []): Promise<this> {
    const proxy = createMitmProxy({
      interceptor: this.interceptor,
      trust: { ca: this.originCa.cert },
      tunnel,
      resolve: (host, port) => ({ host: '127.0.0.1', port: this.#ports.get(host) ?? port }),
      log: (line) => this.log.push(line),
    })
    this.port = await this.#listen(proxy)
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** An origin for HTTP/1.1 and HTTP/2 under these names, with a certificate of the origins' CA unless told. */
  async origin(
    names: string | readonly string[],
    answer: (request: IncomingMessage, response: ServerResponse) => void = hello,
    identity: IssuedIdentity = this.originCa.issue(names),
  ): Promise<ReturnType<typeof createSecureServer>> {
    const { cert, key } = identity
    const server = createSecureServer({ cert, key, allowHTTP1: true }, answer as never)
    const port = await this.#listen(server)
    for (const name of [names].flat()) this.#ports.set(name, port)
    return server
  }

  /** A server that speaks first, and no TLS. */
  async plain(name: string, greeting: string): Promise<void> {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined)
      socket.write(greeting)
      socket.pipe(socket)
    })
    this.#ports.set(name, await this.#listen(server))
  }

  async http(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
    return this.#listen(createHttpServer(answer))
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return (server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      ;(server as { closeAllConnections?: () => void }).closeAllConnections?.()
      server.close()
    }
  }
}

function hello(request: IncomingMessage, response: ServerResponse): void {
  const host = request.headers.host ?? request.headers[':authority']
  response.end(`hello ${String(host)} ${request.httpVersion}`)
}
