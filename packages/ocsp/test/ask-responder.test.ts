import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import {
  MAX_RESPONSE_BYTES,
  type OcspFetch,
  OcspResolver,
  parseOcspRequest,
  type ResolveOptions,
} from '../src/index.ts'
import { ca, createBody, FakeResponder, leaf, NOW, respond, root, VALID } from './pki.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A certificate whose responder is a server on loopback. */
async function served(listener: RequestListener): Promise<{
  url: string
  resolve: (options?: ResolveOptions) => Promise<string>
  certificate: ReturnType<typeof ca.issue>
}> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const certificate = ca.issue({ names: 'x', ocspUris: [`${url}/ocsp`], ...VALID })
  const resolve = async (options: ResolveOptions = {}): Promise<string> => {
    const verdict = await new OcspResolver({
      chain: [certificate.raw, ca.raw, root.raw],
      failure: 'hard',
      now: () => NOW,
      nonce: 'off',
    }).resolve(options)
    return verdict.result === 'refused' ? verdict.error.code : verdict.result
  }
  return { url, resolve, certificate }
}

function answer(certificate: { raw: Uint8Array }): Uint8Array {
  return respond({ certificate })
}

describe('over HTTP', () => {
  it('posts, with the headers of RFC 6960', async () => {
    const seen: unknown[] = []
    const { resolve, certificate } = await served((request, response) => {
      seen.push(request.method, request.url, request.headers['content-type'], request.headers.accept)
      response.end(answer(certificate))
    })
    expect(await resolve()).toBe('good')
    expect(seen).toEqual(['POST', '/ocsp', 'application/ocsp-request', 'application/ocsp-response'])
  })

  it('gets where asked, with the request in the path', async () => {
    let asked = 0
    const { resolve, certificate } = await served((request, response) => {
      asked = parseOcspRequest(Buffer.from(decodeURIComponent((request.url as string).replace('/ocsp/', '')), 'base64'))
        .certIds.length
      response.end(answer(certificate))
    })
    expect(await resolve({ method: 'GET' })).toBe('good')
    expect(asked).toBe(1)
  })

  it.each([301, 302, 303, 307, 308])('follows no redirect: %i', async (status) => {
    let hits = 0
    const { resolve, url } = await served((_request, response) => {
      hits++
      response.writeHead(status, { location: `${url}/elsewhere` }).end()
    })
    expect(await resolve()).toBe('ERR_OCSP_FETCH_FAILED')
    expect(hits).toBe(1)
  })

  it.each([204, 400, 404, 500, 503])('takes no answer with status %i', async (status) => {
    const { resolve, certificate } = await served((_request, response) =>
      response.writeHead(status).end(answer(certificate)),
    )
    expect(await resolve()).toBe('ERR_OCSP_FETCH_FAILED')
  })

  it('a body that never ends is cut at 100 KB', async () => {
    let sent = 0
    const { resolve } = await served((_request, response) => {
      const chunk = Buffer.alloc(16 * 1024)
      const more = (): void => {
        if (response.destroyed) return
        sent += chunk.length
        if (response.write(chunk)) setImmediate(more)
        else response.once('drain', more)
      }
      more()
    })
    expect(await resolve()).toBe('ERR_OCSP_RESPONSE_TOO_LARGE')
    expect(sent).toBeLessThan(100 * MAX_RESPONSE_BYTES) // what sockets hold on the way
  })

  it('a body that is announced as too long is not read', async () => {
    const { resolve } = await served((_request, response) =>
      response.writeHead(200, { 'content-length': 1e12 }).write('x'),
    )
    expect(await resolve()).toBe('ERR_OCSP_RESPONSE_TOO_LARGE')
  })

  it('a body that trickles ends with the time', async () => {
    const { resolve } = await served((_request, response) => response.write('0'))
    expect(await resolve({ timeout: 50 })).toBe('ERR_OCSP_TIMEOUT')
  })

  it('a connection that is closed in the middle', async () => {
    const { resolve, certificate } = await served((_request, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write(answer(certificate).subarray(0, 50), () => response.destroy())
    })
    expect(await resolve()).toBe('ERR_OCSP_FETCH_FAILED')
  })

  it('no body at all', async () => {
    const { resolve } = await served((_request, response) => response.end())
    expect(await resolve()).toBe('ERR_OCSP_RESPONSE_INVALID')
  })

  it('a page of text', async () => {
    const { resolve } = await served((_request, response) => response.end('<html>'))
    expect(await resolve()).toBe('ERR_OCSP_RESPONSE_INVALID')
  })

  it('nobody there', async () => {
    const { resolve } = await served(() => undefined)
    servers[0]?.close()
    servers[0]?.closeAllConnections()
    expect(await resolve()).toBe('ERR_OCSP_FETCH_FAILED')
  })
})

describe('a fetch of one’s own', () => {
  const { fetch: good } = new FakeResponder()
  const resolve = async (fetch: OcspFetch, options: ResolveOptions = {}): Promise<string> => {
    const verdict = await new OcspResolver({
      chain: [leaf.raw, ca.raw, root.raw],
      failure: 'hard',
      now: () => NOW,
    }).resolve({ fetch, ...options })
    return verdict.result === 'refused' ? verdict.error.code : verdict.result
  }

  it('is told not to follow redirects and to send no credentials', async () => {
    const seen: RequestInit[] = []
    await resolve((url, init) => (seen.push(init), good(url, init)))
    expect(seen[0]).toMatchObject({ redirect: 'error', credentials: 'omit', signal: expect.any(AbortSignal) })
  })

  it('that followed a redirect all the same is not believed', async () => {
    expect(
      await resolve(async (url, init) => Object.defineProperty(await good(url, init), 'redirected', { value: true })),
    ).toBe('ERR_OCSP_FETCH_FAILED')
  })

  it('that throws at once', async () => {
    expect(
      await resolve(() => {
        throw new Error('no')
      }),
    ).toBe('ERR_OCSP_FETCH_FAILED')
  })

  it('whose body breaks off', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('broken')) })
    expect(await resolve(async () => new Response(body))).toBe('ERR_OCSP_FETCH_FAILED')
  })

  it('a request that is too long for a URL is posted', async () => {
    const responder = new FakeResponder()
    expect(await resolve(responder.fetch, { method: 'GET' })).toBe('good')
    expect(responder.requests[0]?.init.method).toBe('GET')
    const shared = ca.issue({
      ca: true,
      subject: { commonName: 'S' },
      ocspUris: ['http://ocsp.example.test/leaf'],
      ...VALID,
    })
    const low = shared.issue({ names: 'low', ocspUris: ['http://ocsp.example.test/leaf'], ...VALID })
    const many = new FakeResponder([[{ certificate: low, issuer: shared }, { status: 'good' }]])
    await new OcspResolver({ chain: [low.raw, shared.raw, ca.raw], depth: 'chain', now: () => NOW }).resolve({
      fetch: many.fetch,
      method: 'GET',
    })
    expect(many.requests[0]?.init.method).toBe('POST')
  })

  it('that answers without a body', async () => {
    expect(await resolve(async () => new Response(null))).toBe('ERR_OCSP_RESPONSE_INVALID')
    expect(await resolve(async () => createBody(new Uint8Array()))).toBe('ERR_OCSP_RESPONSE_INVALID')
  })
})
