// not run by itself: part of main.ts. Reads just enough of HTTP/1.1 to tell where messages start (RFC 9112 section 6).

const MAX_HEAD = 65_536

/** What follows a head: this many bytes, chunks, or everything until the end. */
type Body = number | 'chunked' | 'rest'

/** Splits one direction of a connection into messages and tells the first line of each. Gives up quietly where it understands nothing. */
export class MessageReader {
  readonly #onHead: (firstLine: string, head: string) => Body
  #pending: Buffer = Buffer.alloc(0)
  #state: 'head' | 'body' | 'chunk-size' | 'trailers' | 'blind' = 'head'
  #left = 0
  #chunked = false

  /** `onHead` says what follows, given what the header says by itself. */
  constructor(onHead: (firstLine: string, declared: Body) => Body) {
    this.#onHead = (firstLine, head) => onHead(firstLine, declaredBody(head))
  }

  feed(chunk: Buffer): void {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    this.#pending = Buffer.alloc(0)
    while (bytes.length > 0 && this.#state !== 'blind') {
      const used = this.#step(bytes)
      if (used === 0) {
        if (bytes.length > MAX_HEAD) this.#state = 'blind'
        else this.#pending = bytes
        return
      }
      bytes = bytes.subarray(used)
    }
  }

  /** How many bytes were understood; 0: more are needed. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'body': {
        const used = Math.min(bytes.length, this.#left)
        this.#left -= used
        if (this.#left === 0) this.#state = this.#chunked ? 'chunk-size' : 'head'
        return used
      }
      case 'chunk-size': {
        const end = bytes.indexOf('\r\n')
        if (end < 0) return 0
        const size = Number.parseInt(bytes.toString('latin1', 0, end), 16)
        if (Number.isNaN(size)) this.#state = 'blind'
        else if (size === 0) this.#state = 'trailers'
        else [this.#state, this.#left] = ['body', size + 2]
        return end + 2
      }
      case 'trailers': {
        const end = bytes.indexOf('\r\n')
        if (end < 0) return 0
        if (end === 0) [this.#state, this.#chunked] = ['head', false]
        return end + 2
      }
      case 'head': {
        const end = bytes.indexOf('\r\n\r\n')
        if (end < 0) return 0
        this.#begin(bytes.toString('latin1', 0, end))
        return end + 4
      }
      case 'blind':
        break
    }
    return bytes.length
  }

  #begin(head: string): void {
    const body = this.#onHead(head.slice(0, Math.max(0, `${head}\r\n`.indexOf('\r\n'))), head)
    this.#chunked = body === 'chunked'
    if (body === 'rest') this.#state = 'blind'
    else if (body === 'chunked') this.#state = 'chunk-size'
    else if (body > 0) [this.#state, this.#left] = ['body', body]
  }
}

function declaredBody(head: string): Body {
  if (/^transfer-encoding:.*chunked\s*$/im.test(head)) return 'chunked'
  const length = /^content-length:\s*([0-9]{1,15})\s*$/im.exec(head)
  return length === null ? 'rest' : Number(length[1])
}
