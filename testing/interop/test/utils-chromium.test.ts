import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { createAuthority, type IssuedIdentity } from '@x/utils'
import { expect, it } from 'vitest'
import { peer, run, RunningPeer, TemporaryFolder } from '../src/index.ts'
import { variants } from './utils-variants.ts'

const chromium = peer('chromium')
const certutil = peer('certutil')

/** Chromium's verifier knows no Ed25519 certificates. */
const shown = variants().filter(({ role, key }) => role === 'server' && key !== 'Ed25519')

it.skipIf(chromium === undefined || certutil === undefined)(
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

    const database = `sql:${folder.path}/.pki/nssdb`
    mkdirSync(`${folder.path}/.pki/nssdb`, { recursive: true })
    await run(certutil as string, ['-d', database, '-N', '--empty-password'])
    const roots = new Set([...shown.map(({ identity }) => identity.ca), own.cert])
    for (const [i, root] of [...roots].entries()) {
      folder.write(`root-${i}.pem`, root)
      const { code, stderr } = await run(certutil as string, [
        '-d',
        database,
        '-A',
        '-t',
        'C,,',
        '-n',
        `root ${i}`,
        '-i',
        `${folder.path}/root-${i}.pem`,
      ])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    }

    const page = `<script>
      Promise.all(${JSON.stringify(cases.map(({ url }) => url))}.map((url) => fetch(url).then((answer) => answer.text(), () => 'refused')))
        .then((answers) => fetch('/answers', { method: 'POST', body: JSON.stringify(answers) }))
    </script>`
    let resolve: (answers: string[]) => void = () => undefined
    const answers = new Promise<string[]>((done) => (resolve = done))
    const web = createHttpServer((request, response) => {
      if (request.method !== 'POST') return response.setHeader('content-type', 'text/html').end(page)
      let body = ''
      request.on('data', (chunk) => (body += chunk)).on('end', () => resolve(JSON.parse(body) as string[]))
      return response.end()
    }).listen(0, '127.0.0.1')
    await once(web, 'listening')
    servers.push(web)

    await using browser = new RunningPeer(
      spawn(
        chromium as string,
        [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-dev-shm-usage',
          '--no-first-run',
          '--disable-background-networking',
          '--remote-debugging-port=0', // keeps it open
          '--disable-features=LocalNetworkAccessChecks,PrivateNetworkAccessSendPreflights',
          `--user-data-dir=${folder.path}/profile`,
          '--host-resolver-rules=MAP *.example.org 127.0.0.1, MAP *.example 127.0.0.1',
          `http://127.0.0.1:${(web.address() as AddressInfo).port}/`,
        ],
        { env: { ...process.env, HOME: folder.path } },
      ),
      0,
    )
    const seen = await Promise.race([answers, browser.printed(/(?!)/).then(() => [])])
    await browser.stop()
    for (const server of servers) server.close()
    expect(Object.fromEntries(cases.map(({ name }, i) => [name, seen[i]]))).toEqual(
      Object.fromEntries(cases.map(({ name, expected }) => [name, expected])),
    )
  },
  90_000,
)
