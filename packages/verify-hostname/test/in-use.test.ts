import { once } from 'node:events'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import tls from 'node:tls'
import { createAuthority } from '@x/utils'
import { Agent, fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCheckServerIdentity, HostnameVerificationError } from '../src/index.ts'

// Node's own check takes 'within.example.org' for the first server and not for the second: the scheme must be what decides.
const authority = createAuthority()
const wild = authority.issue(['w*.example.org'])
const exact = authority.issue({ names: ['other.example.org'], subject: { commonName: 'within.example.org' } })
const ca = authority.ca
const host = 'within.example.org'

const servers: tls.Server[] = []
async function serve(identity: typeof wild): Promise<number> {
  const server = https.createServer(
    { cert: identity.cert, key: identity.privateKey.export({ type: 'pkcs8', format: 'pem' }) },
    (_, response) => response.end('hello'),
  )
  server.on('tlsClientError', () => undefined) // a client that refuses hangs up in the middle
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

let wildPort = 0
let exactPort = 0
beforeAll(async () => {
  wildPort = await serve(wild)
  exactPort = await serve(exact)
})
afterAll(() => {
  for (const server of servers) server.close()
})

type Outcome = 'ok' | (Error & { code?: string })
type Attempt = (port: number, checkServerIdentity: ReturnType<typeof createCheckServerIdentity>) => Promise<Outcome>

const address = '127.0.0.1'
const loopback = { host: address, servername: host, ca }

const attempts: Readonly<Record<string, Attempt>> = {
  'tls.connect': async (port, checkServerIdentity) => {
    const socket = tls.connect({ ...loopback, port, checkServerIdentity })
    return settled(socket)
  },
  'https.request': (port, checkServerIdentity) =>
    new Promise((resolve) => {
      const request = https.request({ ...loopback, port, checkServerIdentity, agent: false }, (response) =>
        response.resume().once('end', () => resolve('ok')),
      )
      request.once('error', resolve).end()
    }),
  undici: async (port, checkServerIdentity) => {
    const dispatcher = new Agent({ connect: { ca, servername: host, checkServerIdentity } })
    try {
      return (await (await fetch(`https://${address}:${port}/`, { dispatcher })).text()) === 'hello'
        ? 'ok'
        : new TypeError('no hello')
    } catch (error) {
      return (error as Error).cause as Error
    } finally {
      await dispatcher.destroy()
    }
  },
  // As pg and its like do: the program gives a plain object, the driver spreads it over its own socket's options.
  'a driver that takes an ssl object': async (port, checkServerIdentity) => {
    const config = { host: address, port, ssl: { ca, servername: host, checkServerIdentity } }
    const stream = net.connect(config.port, config.host)
    await once(stream, 'connect')
    return settled(tls.connect(Object.assign({ socket: stream }, config.ssl)))
  },
}

async function settled(socket: tls.TLSSocket): Promise<Outcome> {
  try {
    await once(socket, 'secureConnect')
    return 'ok'
  } catch (error) {
    return error as Error
  } finally {
    socket.destroy()
  }
}

describe.each(Object.entries(attempts))('%s', (_, attempt) => {
  it('accepts the right name, by the rules of the scheme', async () => {
    expect(await attempt(wildPort, createCheckServerIdentity({ scheme: 'http' }))).toBe('ok')
    expect(await attempt(exactPort, createCheckServerIdentity({ scheme: 'ldap' }))).toBe('ok')
  })

  it('refuses the wrong name, by the rules of the scheme', async () => {
    for (const [port, scheme, reason] of [
      [wildPort, 'rfc9525', 'partial wildcard not allowed by the scheme'],
      [exactPort, 'http', 'different name'],
    ] as const) {
      const error = await attempt(port, createCheckServerIdentity({ scheme }))
      expect(error).toBeInstanceOf(HostnameVerificationError)
      expect(error).toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        host,
        scheme,
        cert: { subjectaltname: expect.any(String) as string },
      })
      expect((error as HostnameVerificationError).reasons[0]?.reason).toBe(reason)
    }
  })
})

it('refuses a server that shows no certificate at all', async () => {
  const psk = { psk: Buffer.alloc(32, 1), identity: 'x' }
  const options = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const
  const server = tls.createServer({ ...options, pskCallback: () => psk.psk }).listen(0, address)
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const outcome = await settled(
    tls.connect({
      ...options,
      port,
      host: address,
      pskCallback: () => psk,
      checkServerIdentity: createCheckServerIdentity(),
    }),
  )
  expect(outcome).toMatchObject({ code: 'ERR_HOSTNAME_NO_CERTIFICATE', host: address })
})
