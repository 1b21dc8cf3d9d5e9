// not run by itself: part of main.ts. Looks at what a client sends first, and puts it back.
import type { Socket } from 'node:net'
import { type ClientHello, readClientHello } from './client-hello.ts'

/**
 * The client's hello, or undefined where it speaks something else, or the origin speaks first (as in SMTP). What was received stays in
 * the sockets for whoever reads them next.
 */
export async function peekClientHello(client: Socket, origin: Socket): Promise<ClientHello | undefined> {
  let seen: Buffer = Buffer.alloc(0)
  let stop = (): void => undefined
  try {
    return await new Promise<ClientHello | undefined>((resolve) => {
      const other = (): void => resolve(undefined)
      const onReadable = (): void => {
        const chunk = client.read() as Buffer | null
        if (chunk === null) return
        seen = Buffer.concat([seen, chunk])
        const hello = readClientHello(seen)
        if (hello !== 'more') resolve(hello)
      }
      stop = () => {
        client.off('readable', onReadable).off('end', other).off('close', other)
        origin.off('readable', other).off('close', other)
      }
      client.on('readable', onReadable).on('end', other).on('close', other)
      origin.on('readable', other).on('close', other)
      onReadable()
    })
  } finally {
    stop()
    if (seen.length > 0) client.unshift(seen)
  }
}
