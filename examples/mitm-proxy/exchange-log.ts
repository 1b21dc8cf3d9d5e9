// not run by itself: part of main.ts. A line for each exchange that passes.
import { MessageReader } from './http-messages.ts'
import type { Watcher } from './relay.ts'

/** Watches HTTP/1.1: `GET /path -> 200`; after 101 (a websocket) or CONNECT it sees no more. */
export function http1Log(log: (line: string) => void): Watcher {
  const waiting: string[] = []
  const requests = new MessageReader((firstLine, declared) => {
    waiting.push(firstLine.replace(/ HTTP\/1\.[01]$/, '').slice(0, 300))
    return declared === 'rest' ? 0 : declared // a request without a length has no body
  })
  const responses = new MessageReader((firstLine, declared) => {
    const status = Number(/^HTTP\/1\.[01] ([0-9]{3})/.exec(firstLine)?.[1] ?? 0)
    if (status >= 100 && status < 200 && status !== 101) return 0 // another response will follow
    const request = waiting.shift() ?? '?'
    log(`${printable(request)} -> ${status}${status === 101 ? ' (switching protocols)' : ''}`)
    if (status === 101) return 'rest'
    return request.startsWith('HEAD ') || status === 204 || status === 304 ? 0 : declared
  })
  return { fromClient: (bytes) => requests.feed(bytes), fromOrigin: (bytes) => responses.feed(bytes) }
}

/** Watches HTTP/2 (RFC 9113 section 4.1): a line for each stream that the client opens. Its headers are compressed, and not read. */
export function http2Log(log: (line: string) => void): Watcher {
  let pending: Buffer = Buffer.alloc(0)
  let skip = PREFACE_LENGTH
  let newest = 0
  const fromClient = (bytes: Buffer): void => {
    pending = Buffer.concat([pending, bytes])
    for (;;) {
      const jump = Math.min(skip, pending.length)
      pending = pending.subarray(jump)
      skip -= jump
      if (skip > 0 || pending.length < 9) return
      const stream = pending.readUInt32BE(5) & 0x7fffffff
      if (pending[3] === HEADERS && stream > newest) {
        newest = stream
        log(`h2 stream ${stream}`)
      }
      skip = 9 + pending.readUIntBE(0, 3)
    }
  }
  return { fromClient, fromOrigin: () => undefined }
}

const PREFACE_LENGTH = 24
const HEADERS = 1

/** A log is read in a terminal: what a client sends must not control it. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
