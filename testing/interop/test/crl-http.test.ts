import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createCrl, CrlStore, type CrlStoreOptions } from '@x/crl'
import { createAuthority } from '@x/utils'
import { afterEach, describe, expect, it } from 'vitest'

const ca = createAuthority({ subject: { commonName: 'Web CA' }, purpose: 'CA,cRLSign' })
const DAY = 86_400_000
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server on the loopback interface, and what a store with Node's own fetch says of a certificate that names it. */
async function asked(answer: RequestListener, options: CrlStoreOptions = {}) {
  const requests: { url: string; headers: NodeJS.Dict<string | string[]> }[] = []
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', headers: request.headers })
    answer(request, response)
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const leaf = ca.issue({ names: ['a.example'], crlUris: [`http://127.0.0.1:${port}/list.crl`] })
  let ahead = 0
  const store = new CrlStore({ now: () => Date.now() + ahead, ...options })
  const ask = async (): Promise<string> => {
    const status = await store.isRevoked(leaf.raw, ca.raw)
    return status.status === 'unknown' ? status.code : status.status
  }
  return { requests, server, port, leaf, ask, forward: (by: number) => (ahead += by) }
}
const list = (options: object = {}) => createCrl({ issuer: ca, thisUpdate: Date.now() - 1000, ...options })

describe('lists over http, by Node’s own fetch', () => {
  it('one download for ten questions; not modified; then a new one', async () => {
    const stamp = 'Sat, 31 Oct 2026 00:00:00 GMT'
    let current = list()
    const { requests, ask, forward, leaf } = await asked((request, response) => {
      if (request.headers['if-modified-since'] === stamp) response.writeHead(304).end()
      else response.writeHead(200, { 'last-modified': stamp, 'content-type': 'application/pkix-crl' }).end(current.der)
    })
    expect(await Promise.all(Array.from({ length: 10 }, ask))).toEqual(Array(10).fill('good'))
    expect(requests).toHaveLength(1)
    forward(7 * 3_600_000)
    expect(await ask()).toBe('good')
    while (requests.length < 2) await new Promise(setImmediate)
    expect(requests[1]?.headers['if-modified-since']).toBe(stamp)
    forward(30 * DAY)
    current = list({
      thisUpdate: Date.now() + 30 * DAY,
      nextUpdate: Date.now() + 50 * DAY,
      revoked: [{ certificate: leaf.raw }],
    })
    await ask() // may still have waited for the download in the background
    expect(await ask()).toBe('revoked')
  })

  it('PEM, chunks, gzip, and a redirect on the same host', async () => {
    const crl = gzipSync(list().toPem())
    const { ask } = await asked((request, response) => {
      if (request.url === '/list.crl') response.writeHead(302, { location: '/moved' }).end('elsewhere')
      else {
        response.writeHead(200, { 'content-encoding': 'gzip' }).write(crl.subarray(0, 100))
        response.end(crl.subarray(100))
      }
    })
    expect(await ask()).toBe('good')
  })

  it.each<[string, RequestListener, string]>([
    [
      'a redirect to another host',
      (_, response) => response.writeHead(301, { location: 'http://localhost/' }).end(),
      'ERR_CRL_REDIRECT_REFUSED',
    ],
    [
      'a body without end',
      (_, response) => void response.writeHead(200).write('x'.repeat(1000)),
      'ERR_CRL_FETCH_TIMEOUT',
    ],
    ['no answer', () => undefined, 'ERR_CRL_FETCH_TIMEOUT'],
    [
      'an answer that breaks off',
      (_, response) => response.writeHead(200, { 'content-length': 9999 }).write('0', () => response.destroy()),
      'ERR_CRL_FETCH_FAILED',
    ],
    [
      '100 MB in 100 KB',
      (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(new Uint8Array(100_000_000))),
      'ERR_CRL_TOO_LARGE',
    ],
    [
      'HTML',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>'),
      'ERR_CRL_NOT_FOUND',
    ],
    ['503', (_, response) => response.writeHead(503).end(), 'ERR_CRL_FETCH_FAILED'],
  ])('%s: never good', async (_, answer, code) => {
    const { ask } = await asked(answer, { timeout: code === 'ERR_CRL_FETCH_TIMEOUT' ? 100 : 25_000 })
    expect(await ask()).toBe(code)
  })

  it('a server that went away', async () => {
    const { ask, server } = await asked(() => undefined)
    server.close()
    expect(await ask()).toBe('ERR_CRL_FETCH_FAILED')
  })
})
