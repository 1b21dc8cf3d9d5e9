import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { createAuthority, type IssuedIdentity } from '@x/utils'
import { expect, it } from 'vitest'
import { fetchedByChromium, hasChromium, TemporaryFolder } from '../src/index.ts'
import { variants } from './utils-variants.ts'

/** Chromium's verifier knows no Ed25519 certificates. */
const shown = variants().filter(({ role, key }) => role === 'server' && key !== 'Ed25519')

it.skipIf(!hasChromium)(
  'Chromium accepts what it should and nothing else',
  async () => {
    using folder = new TemporaryFolder()
    const servers: Server[] = []
    const listen = async (identity: IssuedIdentity, host: string): Promise<string> => {
      const server = createServer({ cert: identity.cert, key: identity.key }, (_request, response) => {
        response.setHeader('access-control-allow-origin', '*')
        response.end('hello')
      })
      server.listen(0, host === '::1' ? '::1' : '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
      return `https://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}/`
    }

    const day = 86_400_000
    const own = createAuthority('Root of the refused')
    const refused: [string, IssuedIdentity, string][] = [
      ['another name', own.issue({ names: 'other.example.org', purpose: 'server' }), 'www.example.org'],
      [
        'expired',
        own.issue({
          names: 'www.example.org',
          purpose: 'server',
          notBefore: Date.now() - 2 * day,
          notAfter: Date.now() - day,
        }),
        'www.example.org',
      ],
      ['for clients', own.issue({ names: 'www.example.org', purpose: 'client' }), 'www.example.org'],
      [
        'of a stranger',
        createAuthority('Stranger').issue({ names: 'www.example.org', purpose: 'server' }),
        'www.example.org',
      ],
      [
        'the name in the subject only',
        own.issue({ subject: { commonName: 'www.example.org' }, purpose: 'server' }),
        'www.example.org',
      ],
    ]
    const cases = [
      ...(await Promise.all(
        shown.map(async ({ name, identity, host }) => ({ name, url: await listen(identity, host), expected: 'hello' })),
      )),
      ...(await Promise.all(
        refused.map(async ([name, identity, host]) => ({
          name,
          url: await listen(identity, host),
          expected: 'refused',
        })),
      )),
    ]

    const roots = new Set([...shown.map(({ identity }) => identity.ca), own.cert])
    const seen = await fetchedByChromium(folder, { cas: [...roots], urls: cases.map(({ url }) => url) })
    for (const server of servers) server.close()
    expect(Object.fromEntries(cases.map(({ name }, i) => [name, seen[i]]))).toEqual(
      Object.fromEntries(cases.map(({ name, expected }) => [name, expected])),
    )
  },
  90_000,
)
