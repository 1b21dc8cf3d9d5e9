// not run by itself: part of main.ts. Looks at what a client sends first, and puts it back.
import type { Socket } from 'node:net'
import { type ClientHello, readClientHello } from './client-hello.ts'

/**
 * The client's hello, or undefined where it speaks something else, or nothing for `patience` milliseconds (in many protocols the server
 * speaks first). The bytes stay in the socket for whoever reads it next.
 */
export async function peekClientHello(socket: Socket, patience: number): Promise<ClientHello | undefined> {
  let seen: Buffer = Buffer.alloc(0)
  let deadline: NodeJS.Timeout | undefined
  try {
    return await new Promise<ClientHello | undefined>((resolve, reject) => {
      const onReadable = (): void => {
        const chunk = socket.read() as Buffer | null
        if (chunk === null) return
        seen = Buffer.concat([seen, chunk])
        const hello = readClientHello(seen)
        if (hello !== 'more') resolve(hello)
      }
      deadline = setTimeout(() => resolve(undefined), patience)
      socket.on('readable', onReadable)
      socket.once('error', reject).once('end', () => resolve(undefined))
      onReadable()
    })
  } finally {
    clearTimeout(deadline)
    socket.removeAllListeners('readable').removeAllListeners('end').removeAllListeners('error')
    if (seen.length > 0) socket.unshift(seen)
  }
}
