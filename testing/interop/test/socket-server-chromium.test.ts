import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { listen } from '@x/socket'
import { createAuthority } from '@x/utils'
import { expect, it } from 'vitest'
import { fetchedByChromium, hasChromium, TemporaryFolder } from '../src/index.ts'

const authority = createAuthority('Root of our hosts')
const identity = (name: string, type: 'ec' | 'rsa') => {
  const { cert, key } = authority.issue({ names: [name], purpose: 'server', privateKey: { type } })
  return { cert, key }
}

it.skipIf(!hasChromium)(
  'Chromium finds each host by its name, over HTTP/1.1 and HTTP/2, and resumes',
  { timeout: 90_000 },
  async () => {
    using folder = new TemporaryFolder()
    await using server = await listen({
      host: '127.0.0.1',
      port: 0,
      hosts: {
        'one.example.org': identity('one.example.org', 'ec'),
        '*.example.org': identity('*.example.org', 'rsa'),
        'both.example.org': [identity('both.example.org', 'ec'), identity('both.example.org', 'rsa')],
        'two.example.org': { ...identity('two.example.org', 'ec'), ALPNProtocols: ['h2'] },
        'twelve.example.org': { ...identity('twelve.example.org', 'ec'), maxVersion: 'TLSv1.2' },
        'wrong.example.org': identity('another.example.org', 'ec'),
      },
    })
    const http = createHttpServer((_request, response) => response.setHeader('connection', 'close'))
    const http2 = createHttp2Server()
    const seen: { name: unknown; resumed: boolean; ja4: string | undefined }[] = []
    for (const each of [http, http2])
      each.on('request', (request: { headers: { [name: string]: unknown } }, response) => {
        const host = request.headers[':authority'] ?? request.headers['host']
        response.setHeader('access-control-allow-origin', '*')
        response.end(`${String(host).split(':')[0]} over ${each === http ? 'http/1.1' : 'h2'}`)
      })
    const errors: string[] = []
    server.on('tlsClientError', (error) => errors.push(String((error as { code?: unknown }).code)))
    server.on('connection', (socket) => {
      socket.on('error', () => undefined)
      seen.push({ name: socket.servername, resumed: socket.sessionReused, ja4: socket.clientHello?.fingerprint.ja4 })
      if (socket.alpnProtocol === 'h2') http2.emit('connection', socket)
      else http.emit('connection', socket)
    })

    const { port } = server.address() as AddressInfo
    const hosts = ['one', 'any', 'both', 'two', 'twelve', 'wrong', 'one', 'twelve']
    const urls = [...hosts.map((name) => `https://${name}.example.org:${port}/`), `https://unserved.example:${port}/`]

    const answered = await fetchedByChromium(folder, { cas: [authority.cert], urls, inTurn: true })

    const over = (name: string): string => `${name}.example.org over ${name === 'two' ? 'h2' : 'http/1.1'}`
    const expected = [...hosts.map((name) => (name === 'wrong' ? 'refused' : over(name))), 'refused']
    expect(answered).toEqual(expected)
    for (const name of ['one.example.org', 'twelve.example.org'])
      expect(seen.filter((one) => one.name === name).map(({ resumed }) => resumed)).toContain(true)
    for (const { ja4 } of seen) expect(ja4).toMatch(/^t13d/)
    expect(errors).toContain('ERR_SECURE_SOCKET_UNRECOGNIZED_NAME') // the host that is not served
  },
)
