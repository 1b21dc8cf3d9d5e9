import { createHash, hash, pbkdf2Sync } from 'node:crypto'

/** What is derived, by the ID of RFC 7292 appendix B.3. */
export type Purpose12 = 'key' | 'iv' | 'mac'

const IDS: Readonly<Record<Purpose12, number>> = { key: 1, iv: 2, mac: 3 }
const BLOCK: Readonly<Record<string, number>> = { sha1: 64, sha224: 64, sha256: 64, sha384: 128, sha512: 128 }

/** Beyond this many rounds a file is not opened: no tool writes more, and a hostile one would block the program for minutes. */
export const MAX_ITERATIONS: number = 10_000_000

/** The same for key derivations that run in JavaScript, about 1.5 microseconds a round. */
export const MAX_SLOW_ITERATIONS: number = 2_000_000

/** PKCS#12's key derivation (RFC 7292 appendix B.2); undefined for digests it is not defined with. */
export function derivePkcs12(
  digest: string,
  purpose: Purpose12,
  passphrase: string | undefined,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array | undefined {
  const v = BLOCK[digest]
  if (v === undefined) return undefined
  const diversifier = new Uint8Array(v).fill(IDS[purpose])
  const input = Buffer.concat([filled(salt, v), filled(bmpPassphrase(passphrase), v)])
  const out: Uint8Array[] = []
  for (let have = 0; have < length; have += (out.at(-1) as Uint8Array).length) {
    let a = createHash(digest).update(diversifier).update(input).digest()
    for (let i = 1; i < iterations; i++) a = hash(digest, a, 'buffer')
    out.push(a)
    addToBlocks(input, filled(a, v).subarray(0, v), v)
  }
  return Buffer.concat(out).subarray(0, length)
}

/** PBKDF1 (RFC 8018 section 5.1). */
export function derivePbkdf1(
  digest: string,
  passphrase: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  let t = createHash(digest).update(passphrase, 'utf8').update(salt).digest()
  for (let i = 1; i < iterations; i++) t = hash(digest, t, 'buffer')
  return t.subarray(0, length)
}

/** PBKDF2 (RFC 8018 section 5.2), natively. */
export function derivePbkdf2(
  digest: string,
  passphrase: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  return pbkdf2Sync(passphrase, salt, iterations, length, digest)
}

/** UTF-16, big-endian, with its terminating zero; no passphrase at all is no octets (RFC 7292 appendix B.1). */
function bmpPassphrase(passphrase: string | undefined): Uint8Array {
  return passphrase === undefined ? new Uint8Array(0) : Buffer.from(`${passphrase}\0`, 'utf16le').swap16()
}

/** Repeated up to whole blocks of `v` octets; nothing stays nothing. */
function filled(bytes: Uint8Array, v: number): Uint8Array {
  if (bytes.length === 0) return bytes
  const out = new Uint8Array(Math.ceil(bytes.length / v) * v)
  for (let i = 0; i < out.length; i++) out[i] = bytes[i % bytes.length] as number
  return out
}

/** Each block of `v` octets becomes itself + b + 1, modulo 2^(8v). */
function addToBlocks(blocks: Uint8Array, b: Uint8Array, v: number): void {
  for (let start = 0; start < blocks.length; start += v) {
    let carry = 1
    for (let i = v - 1; i >= 0; i--) {
      carry += (blocks[start + i] as number) + (b[i] as number)
      blocks[start + i] = carry & 0xff
      carry >>= 8
    }
  }
}
