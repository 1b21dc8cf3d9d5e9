import { createDecipheriv, createHmac } from 'node:crypto'
import { RECORD_HEADER } from '../engine/record-framer.ts'
import type { Suite } from './suites.ts'

/** What a record held. */
export interface Opened {
  readonly type: number
  readonly content: Uint8Array
}

/** Opens the records of one direction, one after the other. */
export interface RecordKeys {
  /** Undefined where the record does not belong to these keys. */
  open(record: Uint8Array): Opened | undefined
  /** The keys behind a KeyUpdate (RFC 8446 section 7.2); TLS 1.2 has none. */
  next(): RecordKeys
}

/** TLS 1.3 (RFC 8446 sections 5.2 and 7.3). */
export class Keys13 implements RecordKeys {
  readonly #suite: Suite
  readonly #secret: Uint8Array
  readonly #key: Uint8Array
  readonly #iv: Uint8Array
  #sequence = 0n

  constructor(suite: Suite, secret: Uint8Array) {
    this.#suite = suite
    this.#secret = secret
    this.#key = expandLabel(suite, secret, 'key', suite.keyLength)
    this.#iv = expandLabel(suite, secret, 'iv', 12)
  }

  open(record: Uint8Array): Opened | undefined {
    const header = record.subarray(0, RECORD_HEADER)
    const nonce = exclusiveOr(this.#iv, this.#sequence++)
    const inner = decrypt(this.#suite, this.#key, nonce, header, record.subarray(RECORD_HEADER))
    if (inner === undefined) return undefined
    let end = inner.length
    while (end > 0 && inner[end - 1] === 0) end--
    return end === 0 ? undefined : { type: inner[end - 1] as number, content: inner.subarray(0, end - 1) }
  }

  next(): Keys13 {
    return new Keys13(this.#suite, expandLabel(this.#suite, this.#secret, 'traffic upd', this.#secret.length))
  }
}

/** TLS 1.2 with authenticated encryption (RFC 5246 section 6.2.3.3; RFC 5288 for GCM, RFC 7905 for ChaCha20). */
export class Keys12 implements RecordKeys {
  readonly #suite: Suite
  readonly #key: Uint8Array
  readonly #iv: Uint8Array
  #sequence = 0n

  constructor(
    suite: Suite,
    master: Uint8Array,
    randoms: { client: Uint8Array; server: Uint8Array },
    of: 'client' | 'server',
  ) {
    const { keyLength } = suite
    const ivLength = suite.cipher === 'chacha20-poly1305' ? 12 : 4
    const seed = Buffer.concat([Buffer.from('key expansion'), randoms.server, randoms.client])
    const block = prf(suite, master, seed, 2 * (keyLength + ivLength))
    const side = of === 'client' ? 0 : 1
    this.#suite = suite
    this.#key = block.subarray(side * keyLength, (side + 1) * keyLength)
    this.#iv = block.subarray(2 * keyLength + side * ivLength, 2 * keyLength + (side + 1) * ivLength)
  }

  open(record: Uint8Array): Opened | undefined {
    const explicit = this.#iv.length === 4 ? 8 : 0
    const body = record.subarray(RECORD_HEADER + explicit)
    const length = body.length - this.#suite.tagLength
    if (length < 0) return undefined
    const sequence = this.#sequence++
    const nonce =
      explicit === 0
        ? exclusiveOr(this.#iv, sequence)
        : Buffer.concat([this.#iv, record.subarray(RECORD_HEADER, RECORD_HEADER + explicit)])
    const associated = Buffer.alloc(13)
    associated.writeBigUInt64BE(sequence)
    associated.set(record.subarray(0, 3), 8)
    associated.writeUInt16BE(length, 11)
    const content = decrypt(this.#suite, this.#key, nonce, associated, body)
    return content === undefined ? undefined : { type: record[0] as number, content }
  }

  next(): this {
    return this
  }
}

function decrypt(
  { cipher, tagLength }: Suite,
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  body: Uint8Array,
): Uint8Array | undefined {
  const length = body.length - tagLength
  if (length < 0) return undefined
  try {
    // Node types the algorithms one by one; all three take what GCM takes
    const decipher = createDecipheriv(cipher as 'aes-128-gcm', key, nonce, { authTagLength: tagLength })
    decipher.setAuthTag(body.subarray(length))
    decipher.setAAD(associated, { plaintextLength: length })
    const content = decipher.update(body.subarray(0, length))
    decipher.final()
    return content
  } catch {
    return undefined
  }
}

function exclusiveOr(iv: Uint8Array, sequence: bigint): Uint8Array {
  const nonce = Buffer.from(iv)
  const at = nonce.length - 8
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(at) ^ sequence, at)
  return nonce
}

/** HKDF-Expand-Label (RFC 8446 section 7.1) for at most one block, without context. */
function expandLabel({ hash }: Suite, secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = Buffer.from(`tls13 ${label}`)
  const info = Buffer.concat([Buffer.from([length >> 8, length & 255, name.length]), name, Buffer.from([0, 1])])
  return createHmac(hash, secret).update(info).digest().subarray(0, length)
}

/** P_hash (RFC 5246 section 5). */
function prf({ hash }: Suite, secret: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Buffer[] = []
  let a: Uint8Array = seed
  for (let made = 0; made < length; made += blocks.at(-1)?.length ?? 0) {
    a = createHmac(hash, secret).update(a).digest()
    blocks.push(createHmac(hash, secret).update(a).update(seed).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}
