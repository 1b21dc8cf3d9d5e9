import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, connect as connectTls, TLSSocket } from 'node:tls'
import { TestCa } from '@x-testing/test-ca'
import { afterEach, describe, expect, it } from 'vitest'
import { dialogues, type Script } from './scripts.ts'

const ca = new TestCa()
const identity = ca.server('localhost')
const secureContext = createSecureContext({ cert: identity.cert, key: identity.key })
let server: Server

/** A server on loopback that follows a script, and then speaks TLS and returns what it gets. */
async function serve(script: Script, cut: number, then: (socket: Socket) => void = echoOverTls): Promise<number> {
  server = createServer((socket) => {
    socket.setNoDelay(true).on('error', () => undefined)
    void play(socket, script, cut).then(() => then(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function play(socket: Socket, script: Script, cut: number): Promise<void> {
  const heard: Buffer[] = []
  let wake = (): void => undefined
  const collect = (chunk: Buffer): void => {
    heard.push(chunk)
    wake()
  }
  socket.on('data', collect)
  for (const [side, data] of script) {
    const bytes = Buffer.from(data as string, 'latin1')
    if (side === '>') {
      socket.write(bytes.subarray(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      if (cut < bytes.length) socket.write(bytes.subarray(cut))
      continue
    }
    while (Buffer.concat(heard).length < bytes.length) await new Promise<void>((resolve) => (wake = resolve))
    heard.splice(0, heard.length, Buffer.concat(heard).subarray(bytes.length))
  }
  socket.off('data', collect).pause()
  const early = Buffer.concat(heard)
  if (early.length > 0) socket.unshift(early)
}

function echoOverTls(socket: Socket): void {
  const secure = new TLSSocket(socket, { isServer: true, secureContext })
  secure.on('error', () => undefined)
  secure.pipe(secure)
}

describe.each(Object.entries(dialogues).filter(([name]) => name !== 'ftpClearCommandChannel'))(
  'plain node:tls after %s',
  (_name, dialogue) => {
    afterEach(() => void server.close())
    const options = dialogue.name === undefined ? {} : { name: dialogue.name }

    it.each([1, 7, 1e6])('is secure and passes every byte (cut at %i)', async (cut) => {
      const socket = connect(await serve(dialogue.good, cut), '127.0.0.1')
      await dialogue.run(socket, { ...options, timeout: 5000 })
      const secure = connectTls({ socket, servername: 'localhost', ca: ca.ca })
      await once(secure, 'secureConnect')
      expect(secure.authorized).toBe(true)
      const sent = Buffer.alloc(100_000, 'every byte')
      secure.end(sent)
      const received: Buffer[] = []
      for await (const chunk of secure as AsyncIterable<Buffer>) received.push(chunk)
      expect(Buffer.concat(received).equals(sent)).toBe(true)
    })

    it('never gets as far as trust when something was put in front of TLS', async () => {
      const last = dialogue.good.findLastIndex(([side]) => side === '>')
      const script: Script = [
        ...dialogue.good.slice(0, last + 1),
        ['>', '250 injected\r\n'],
        ...dialogue.good.slice(last + 1),
      ]
      const socket = connect(await serve(script, 1e6), '127.0.0.1')
      const outcome = dialogue.run(socket, { ...options, timeout: 5000 }).then(async () => {
        const secure = connectTls({ socket, servername: 'localhost', ca: ca.ca })
        await once(secure, 'secureConnect')
      })
      await expect(outcome).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_(STARTTLS_INJECTED|SSL_)/) as string,
      })
      socket.destroy()
    })

    it('has no effect on a connection that was refused', async () => {
      const refusal = dialogue.refused[0]?.[1] as Script
      const socket = connect(await serve(refusal, 1e6, (peer) => peer.end('still in clear')), '127.0.0.1')
      await expect(dialogue.run(socket, { ...options, timeout: 5000 })).rejects.toMatchObject({
        code: dialogue.refused[0]?.[0],
      })
      let text = ''
      for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString()
      expect(text).toContain('still in clear')
    })
  },
)
