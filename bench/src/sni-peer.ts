import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServerPeer } from './server-peer.ts'

/** A server with so many hosts that share a certificate; it greets and closes. Answers `cpu` with the CPU microseconds since it was last asked. */
const script = `
  import { answer, onQuestion } from './peers/channel.mjs'
  const { kind, count, cert, key } = JSON.parse(process.argv[1])
  const names = Array.from({ length: count }, (_, i) => 'host' + i + '.example.org')
  const onSocket = (socket) => socket.on('error', () => {}).resume().end('k')
  let port
  if (kind === 'node:tls') {
    const { createServer, createSecureContext } = await import('node:tls')
    const server = createServer({ noDelay: true, cert, key }, onSocket)
    const context = createSecureContext({ cert, key })
    for (const name of names) server.addContext(name, context)
    server.on('tlsClientError', () => {})
    await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve))
    port = server.address().port
  } else {
    const { listen } = await import('@x/socket')
    const hosts = Object.fromEntries([...names, ''].map((name) => [name, { cert, key }]))
    const server = await listen({ host: '127.0.0.1', port: 0, backlog: 1024, hosts })
    server.on('connection', onSocket).on('tlsClientError', () => {})
    port = server.address().port
  }
  answer(port)
  let last = process.cpuUsage()
  onQuestion(() => {
    const { user, system } = process.cpuUsage(last)
    last = process.cpuUsage()
    answer(user + system)
  })
`

export async function sniPeer(
  kind: '@x/socket' | 'node:tls',
  options: { readonly count: number; readonly cert: string; readonly key: string },
): Promise<ServerPeer> {
  const args = ['--input-type=module', '-e', script, JSON.stringify({ kind, ...options })]
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd })
  const lines = createInterface({ input: child.stdout })
  const answer = async (): Promise<number> => Number(((await once(lines, 'line')) as [string])[0])
  return {
    port: await answer(),
    ask: () => {
      const answered = answer()
      child.stdin.write('cpu\n')
      return answered
    },
    close: () => void child.stdin.end(),
  }
}
