import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { steady } from './machine.ts'

/**
 * The server under test, in a process of its own. It answers `cpu` with the CPU microseconds spent since it was last asked, and `memory` with its
 * resident KiB after a full collection.
 */
const script = `
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  import { answer, onQuestion } from './peers/channel.mjs'
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const { kind, options, greets } = JSON.parse(process.argv[1])
  const sockets = new Set()
  const onSocket = (socket) => {
    socket.on('error', () => {})
    if (greets) return socket.resume().end('k')
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('data', (data) => socket.write(data))
  }
  let port
  if (kind === 'node:tls') {
    const { createServer, createSecureContext } = await import('node:tls')
    const { hosts, ...rest } = options
    const server = createServer({ noDelay: true, ...(hosts === undefined ? rest : hosts['']) }, onSocket)
    if (hosts !== undefined) for (const [name, host] of Object.entries(hosts)) if (name !== '') server.addContext(name, createSecureContext(host))
    server.on('tlsClientError', () => {})
    await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve))
    port = server.address().port
  } else {
    const { listen } = await import('@x/socket')
    const server = await listen({ host: '127.0.0.1', port: 0, backlog: 1024, ...options })
    server.on('connection', onSocket).on('tlsClientError', () => {})
    port = server.address().port
  }
  answer(port)
  let last = process.cpuUsage()
  onQuestion(async (question) => {
    if (question === 'cpu') {
      const { user, system } = process.cpuUsage(last)
      last = process.cpuUsage()
      answer(user + system)
    } else {
      for (let i = 0; i < 4; i++) { collect(); await new Promise(setImmediate) }
      answer(process.memoryUsage().rss / 1024)
    }
  })
`

export interface ServerPeer {
  readonly port: number
  readonly ask: (what: 'cpu' | 'memory') => Promise<number>
  readonly close: () => void
}

/** A server that echoes, or one that says a byte and closes. */
export async function serverPeer(kind: '@x/socket' | 'node:tls', options: object, greets = false): Promise<ServerPeer> {
  const child = spawn(
    process.execPath,
    [...steady, '--input-type=module', '-e', script, JSON.stringify({ kind, options, greets })],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: fileURLToPath(new URL('..', import.meta.url)),
    },
  )
  return await spokenTo(child)
}

/** What a server in a process of its own prints and is asked: its port first, then an answer to each line. */
export async function spokenTo(child: ChildProcessByStdio<Writable, Readable, null>): Promise<ServerPeer> {
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit').then(([code]) => {
    throw Object.assign(new TypeError(`the server has ended with ${code}`), { code: 'ERR_BENCH_PEER' })
  })
  ended.catch(() => undefined)
  const answer = async (): Promise<number> =>
    Number(((await Promise.race([once(lines, 'line'), ended])) as [string])[0])
  return {
    port: await answer(),
    ask: (what) => {
      const answered = answer()
      child.stdin.write(`${what}\n`)
      return answered
    },
    close: () => void child.stdin.end(),
  }
}
