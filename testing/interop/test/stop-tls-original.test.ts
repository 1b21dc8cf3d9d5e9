import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createAuthority } from '@x/utils'
import { type SecureSocket, startTls, type StartTlsOptions } from '@x/socket'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, perlHas, RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const perl = peer('perl')
const original = perl !== undefined && perlHas('IO::Socket::SSL')
const authority = createAuthority('interop CA')
const identity = authority.issue(['localhost', '127.0.0.1'])
const folder = new TemporaryFolder({ 'ca.pem': authority.ca, 'cert.pem': identity.cert, 'key.pem': identity.key })
afterAll(() => folder.dispose())

const script = join(import.meta.dirname, 'stop-tls-original.pl')
const rounds = 50

const perlVersions = { 'TLSv1.2': 'TLSv1_2', 'TLSv1.3': 'TLSv1_3' } as const
type Version = keyof typeof perlVersions

function perlArguments(role: 'client' | 'server', port: number, version: Version, first: 'us' | 'them'): string[] {
  const files = ['cert.pem', 'key.pem', 'ca.pem'].map((name) => folder.file(name))
  // `first` is seen from the Perl side
  return [script, role, String(port), ...files, perlVersions[version], String(rounds), first]
}

async function expectLine(socket: SecureSocket | Socket, line: string): Promise<void> {
  let got = ''
  while (!got.endsWith('\n')) {
    const chunk = socket.read(1) as Buffer | null
    if (chunk === null) await once(socket, 'readable')
    else got += chunk.toString()
  }
  expect(got).toBe(`${line}\n`)
}

/** Our side of the dialogue; `detach` hands the net.Socket back each time, else one SecureSocket goes through all rounds. */
async function converse(
  raw: Socket,
  role: 'client' | 'server',
  version: Version,
  first: 'us' | 'them',
  detach: boolean,
): Promise<void> {
  const limits = { stoppable: true, minVersion: version, maxVersion: version }
  const tls: StartTlsOptions =
    role === 'client'
      ? { host: 'localhost', ca: authority.ca, ...limits }
      : { isServer: true, cert: identity.cert, key: identity.key, ...limits }
  let plain: Socket | SecureSocket = raw
  for (let round = 1; round <= rounds; round++) {
    if (role === 'client') plain.write(`start ${round}\n`)
    await expectLine(plain, role === 'client' ? `go ${round}` : `start ${round}`)
    if (role === 'server') plain.write(`go ${round}\n`)
    const secure = await startTls(plain, tls)
    expect(secure.getProtocol()).toBe(version)
    const shutdown = first === 'them' ? once(secure, 'peerShutdown') : undefined
    secure.write(`secret ${round}\n`)
    await expectLine(secure, `kept ${round}`)
    if (shutdown !== undefined) {
      secure.resume()
      await shutdown
      secure.pause()
    }
    plain = detach ? ((await secure.stopTls({ detach: true })) as Socket) : await secure.stopTls()
    plain.write(`plain ${round}\n`)
    await expectLine(plain, `clear ${round}`)
  }
  plain.end()
}

describe.skipIf(!original)(
  'start_SSL and stop_SSL of the original, 50 rounds on one connection',
  { timeout: 60_000 },
  () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      for (const first of ['us', 'them'] as const)
        for (const detach of [false, true]) {
          const how = `${version}, ${first === 'us' ? 'we' : 'they'} end first, ${detach ? 'detached' : 'one object'}`
          const theirs = first === 'us' ? 'them' : 'us'

          it(`our client, their server, ${how}`, async () => {
            await using server = await startServer(
              perl ?? '',
              (port) => perlArguments('server', port, version, theirs),
              { ready: /ready/ },
            )
            const raw = connectTcp({ port: server.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
            await once(raw, 'connect')
            await converse(raw, 'client', version, first, detach)
            await server.printed(/done 50/)
          })

          it(`our server, their client, ${how}`, async () => {
            const listener = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, '127.0.0.1')
            await once(listener, 'listening')
            const { port } = listener.address() as AddressInfo
            await using client = new RunningPeer(
              spawn(perl ?? '', perlArguments('client', port, version, theirs)),
              port,
            )
            const [raw] = (await once(listener, 'connection')) as [Socket]
            listener.close()
            await converse(raw, 'server', version, first, detach)
            await client.printed(/done 50/)
          })
        }
  },
)
