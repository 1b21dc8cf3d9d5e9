import { createHash } from 'node:crypto'
import { RECORD_HEADER, RecordFramer } from '../engine/record-framer.ts'
import type { RecordObserver } from '../engine/record.ts'
import type { TlsMessage } from './message.ts'
import {
  APPLICATION_DATA,
  CHANGE_CIPHER_SPEC,
  CLIENT_HELLO,
  contentTypes,
  FINISHED,
  HANDSHAKE,
  handshakeTypes,
  KEY_UPDATE,
  SERVER_HELLO,
  versionNames,
} from './names.ts'
import { Keys12, Keys13, type RecordKeys } from './record-keys.ts'
import { type Suite, suites } from './suites.ts'

type Role = 'client' | 'server'

/** Makes messages out of the records and secrets of one connection: what `onMessage` is told. */
export function observe(role: Role, report: (message: TlsMessage) => void): RecordObserver {
  return new Conversation(role, (message) => {
    try {
      report(message)
    } catch (error) {
      // not here, in the middle of a record: a listener's throw is uncaught, as of any listener
      queueMicrotask(() => {
        throw error
      })
    }
  })
}

/** Who sends a record, and under which keys. */
interface Sender {
  readonly role: Role
  readonly direction: 'sent' | 'received'
  /** Undefined: in clear. `wanted`: the label of the secret that the next protected record needs. */
  keys: RecordKeys | undefined
  wanted: string | undefined
  opaque: boolean
  /** A handshake message may span records. */
  rest: Uint8Array
}

/** Records that wait for a secret; more than this means that it never comes. */
const MAX_WAITING = 256
const HELLO_RETRY = createHash('sha256').update('HelloRetryRequest').digest()
const MASTER = 'CLIENT_RANDOM'

class Conversation implements RecordObserver {
  readonly #report: (message: TlsMessage) => void
  readonly #us: Sender
  readonly #peer: Sender
  readonly #framer: RecordFramer = new RecordFramer()
  readonly #secrets = new Map<string, Uint8Array>()
  /** In order, both directions, so that messages are told in the order in which they went by. */
  readonly #waiting: { readonly sender: Sender; readonly record: Uint8Array }[] = []
  readonly #randoms: { client: Uint8Array; server: Uint8Array } = {
    client: new Uint8Array(32),
    server: new Uint8Array(32),
  }
  #suite: Suite | undefined
  #version: number | undefined

  constructor(role: Role, report: (message: TlsMessage) => void) {
    const sender = (of: Role): Sender => ({
      role: of,
      direction: of === role ? 'sent' : 'received',
      keys: undefined,
      wanted: undefined,
      opaque: false,
      rest: new Uint8Array(0),
    })
    this.#report = report
    this.#us = sender(role)
    this.#peer = sender(role === 'client' ? 'server' : 'client')
  }

  sent(bytes: Uint8Array): void {
    this.#framer.push(Uint8Array.from(bytes))
    for (let record = this.#framer.next(); record !== undefined; record = this.#framer.next())
      this.#waiting.push({ sender: this.#us, record })
    this.#proceed()
  }

  received(record: Uint8Array): void {
    this.#waiting.push({ sender: this.#peer, record: Uint8Array.from(record) })
    this.#proceed()
  }

  /** A line of the key log: label, the client's random and the secret, in hexadecimal. */
  secret(line: Uint8Array): void {
    const [label, random, value] = Buffer.from(line).toString('latin1').trim().split(' ')
    if (label === undefined || random === undefined || value === undefined) return
    this.#secrets.set(`${label} ${random.toLowerCase()}`, Buffer.from(value, 'hex'))
    this.#proceed()
  }

  #proceed(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#ready(next.sender, next.record)) {
        if (this.#waiting.length < MAX_WAITING) return
        next.sender.opaque = true
      }
      this.#waiting.shift()
      this.#read(next.sender, next.record)
    }
  }

  /** Whether a record can be read: it is in clear, or its keys can be made. */
  #ready(sender: Sender, record: Uint8Array): boolean {
    const { wanted } = sender
    const isProtected = this.#version !== TLS13 || record[0] === APPLICATION_DATA
    if (wanted === undefined || sender.opaque || !isProtected) return true
    const suite = this.#suite
    if (suite === undefined) {
      sender.opaque = true
      return true
    }
    const secret = this.#secrets.get(`${wanted} ${Buffer.from(this.#randoms.client).toString('hex')}`)
    if (secret === undefined) return false
    sender.keys =
      this.#version === TLS13 ? new Keys13(suite, secret) : new Keys12(suite, secret, this.#randoms, sender.role)
    sender.wanted = undefined
    return true
  }

  #read(sender: Sender, record: Uint8Array): void {
    const type = record[0] as number
    const body = record.subarray(RECORD_HEADER)
    const inClear = this.#version === TLS13 ? type !== APPLICATION_DATA : sender.keys === undefined
    if (sender.opaque && (this.#version !== TLS13 || type === APPLICATION_DATA))
      return this.#tell(sender, record, type, body, true)
    if (inClear) return this.#take(sender, record, type, body)
    const opened = sender.keys?.open(record)
    if (opened !== undefined) return this.#take(sender, record, opened.type, opened.content)
    sender.opaque = true
    this.#tell(sender, record, type, body, true)
  }

  #take(sender: Sender, record: Uint8Array, type: number, content: Uint8Array): void {
    if (type !== HANDSHAKE) {
      this.#tell(sender, record, type, content, false)
      if (type === CHANGE_CIPHER_SPEC && this.#version !== TLS13) sender.wanted = MASTER
      return
    }
    let rest: Uint8Array = sender.rest.length === 0 ? content : Buffer.concat([sender.rest, content])
    while (rest.length >= 4) {
      const length = 4 + (((rest[1] as number) << 16) | ((rest[2] as number) << 8) | (rest[3] as number))
      if (rest.length < length) break
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      this.#learn(sender, message)
      this.#tell(sender, record, HANDSHAKE, message, false)
    }
    sender.rest = rest
  }

  /** What a handshake message changes for the records behind it. */
  #learn(sender: Sender, message: Uint8Array): void {
    const type = message[0]
    if (type === CLIENT_HELLO) this.#randoms.client = message.subarray(6, 38)
    else if (type === SERVER_HELLO) this.#learnServerHello(message)
    else if (this.#version !== TLS13) return
    else if (type === FINISHED)
      sender.wanted = sender.role === 'client' ? 'CLIENT_TRAFFIC_SECRET_0' : 'SERVER_TRAFFIC_SECRET_0'
    else if (type === KEY_UPDATE) sender.keys = sender.keys?.next()
  }

  #learnServerHello(message: Uint8Array): void {
    const at = 39 + (message[38] ?? 0)
    this.#randoms.server = message.subarray(6, 38)
    this.#suite = suites.get(number(message, at))
    this.#version = chosenVersion(message, at + 3) ?? number(message, 4)
    if (this.#version !== TLS13 || isRetry(message)) return
    for (const sender of [this.#us, this.#peer])
      sender.wanted = sender.role === 'client' ? 'CLIENT_HANDSHAKE_TRAFFIC_SECRET' : 'SERVER_HANDSHAKE_TRAFFIC_SECRET'
  }

  #tell(sender: Sender, record: Uint8Array, type: number, bytes: Uint8Array, encrypted: boolean): void {
    const contentType = contentTypes[type]
    if (contentType === undefined) return
    const version = (this.#version ?? number(record, 1)) as keyof typeof versionNames
    const kind = bytes[0] as number
    const handshakeType =
      type !== HANDSHAKE || encrypted
        ? undefined
        : isRetry(bytes)
          ? 'hello_retry_request'
          : (handshakeTypes[kind] ?? String(kind))
    this.#report({
      direction: sender.direction,
      version: versionNames[version] ?? 'TLSv1',
      contentType,
      handshakeType,
      bytes,
      encrypted,
    })
  }
}

const TLS13 = 0x0304
const SUPPORTED_VERSIONS = 43

function isRetry(message: Uint8Array): boolean {
  return message[0] === SERVER_HELLO && HELLO_RETRY.equals(message.subarray(6, 38))
}

function number(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

/** The version in a ServerHello's supported_versions (RFC 8446 section 4.2.1); `at` is where the extensions' length stands. */
function chosenVersion(message: Uint8Array, at: number): number | undefined {
  for (let from = at + 2; from + 4 <= message.length; from += 4 + number(message, from + 2))
    if (number(message, from) === SUPPORTED_VERSIONS) return number(message, from + 4)
  return undefined
}
