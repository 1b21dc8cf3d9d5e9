import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createAuthority } from '@x/utils'

/**
 * The other side of a transfer, in a process of its own so that only ours is measured. A connection begins with one byte and a
 * length (8 bytes, big-endian): `S` has it send so many bytes, `R` has it take so many and answer with one. `H`: neither.
 */
const script = `
  import { createServer } from 'node:tls'
  const { cert, key, options } = JSON.parse(process.argv[1])
  const chunk = Buffer.alloc(262144, 'x')
  const server = createServer({ cert, key, noDelay: true, ...options }, (socket) => {
    socket.on('error', () => {})
    let wanted = 0
    socket.once('data', (head) => {
      const kind = String.fromCharCode(head[0])
      const length = Number(head.readBigUInt64BE(1))
      if (kind === 'H') return socket.end('k')
      if (kind === 'S') {
        let left = length
        const more = () => {
          while (left > 0) {
            const part = left < chunk.length ? chunk.subarray(0, left) : chunk
            left -= part.length
            if (!socket.write(part)) return socket.once('drain', more)
          }
        }
        return more()
      }
      let got = head.length - 9
      const check = () => got >= length && socket.end('k')
      socket.on('data', (data) => { got += data.length; check() })
      check()
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
  process.stdin.resume().on('end', () => process.exit())
`

export interface TransferPeer {
  readonly port: number
  readonly ca: string
  readonly close: () => void
}

const authority = createAuthority('bench')
const identities = {
  ec: authority.issue({ names: 'localhost', privateKey: { type: 'ec' } }),
  rsa: authority.issue({ names: 'localhost', privateKey: { type: 'rsa' } }),
}

/** A server of node:tls, whatever it is asked for; `options` are those of tls.createServer. */
export async function transferPeer(options: object = {}, kind: 'ec' | 'rsa' = 'ec'): Promise<TransferPeer> {
  const { cert, key } = identities[kind]
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify({ cert, key, options })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { port: Number(String(line)), ca: authority.ca, close: () => void child.stdin.end() }
}

/** The head of a connection. */
export function request(kind: 'S' | 'R' | 'H', length: number): Buffer {
  const head = Buffer.alloc(9, kind)
  head.writeBigUInt64BE(BigInt(length), 1)
  return head
}
