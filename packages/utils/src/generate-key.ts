import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { refuseUnknown, wrongValue } from './misuse.ts'

/** What kind of key to make. */
export type KeyKind =
  | { readonly type: 'rsa'; readonly bits?: number; readonly publicExponent?: number }
  | { readonly type: 'rsa-pss'; readonly bits?: number; readonly digest?: string }
  | { readonly type: 'ec'; readonly curve?: string }
  | { readonly type: 'ed25519' | 'ed448' }

/** A kind, or its short name: 'rsa' has 2048 bits, 'ec' is P-256. */
export type KeyKindInput = KeyKind | KeyKind['type']

/**
 * A new private key. RSA: 2048 bits and exponent 65537 unless told (the original's `KEY_create_rsa`); EC: curve
 * 'prime256v1' unless told, also as 'P-256', 'P-384', 'P-521' (the original's `KEY_create_ec`).
 */
export async function generateKey(kind: KeyKindInput = 'ec'): Promise<KeyObject> {
  const [type, options] = nodeArguments(kind)
  return new Promise((resolve, reject) => {
    // one signature per type in Node's declarations, one implementation
    const generate = generateKeyPair as (
      type: string,
      options: object,
      done: (error: Error | null, publicKey: KeyObject, privateKey: KeyObject) => void,
    ) => void
    generate(type, options, (error, _publicKey, privateKey) => (error ? reject(error) : resolve(privateKey)))
  })
}

/** As {@link generateKey}, at once: 50 microseconds for EC and Ed25519, from 50 milliseconds for RSA. */
export function generateKeySync(kind: KeyKindInput = 'ec'): KeyObject {
  const [type, options] = nodeArguments(kind)
  const generate = generateKeyPairSync as (type: string, options: object) => { privateKey: KeyObject }
  return generate(type, options).privateKey
}

const CURVES: Readonly<Record<string, string>> = {
  'P-256': 'prime256v1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
}

function nodeArguments(input: KeyKindInput): [type: string, options: object] {
  const kind: KeyKind = typeof input === 'string' ? { type: input } : input
  switch (kind?.type) {
    case 'rsa':
      refuseUnknown(kind, new Set(['type', 'bits', 'publicExponent']))
      return ['rsa', { modulusLength: bitsOf(kind.bits), publicExponent: kind.publicExponent ?? 0x10001 }]
    case 'rsa-pss': {
      refuseUnknown(kind, new Set(['type', 'bits', 'digest']))
      const modulusLength = bitsOf(kind.bits)
      return ['rsa-pss', kind.digest === undefined ? { modulusLength } : pssLimits(modulusLength, kind.digest)]
    }
    case 'ec':
      refuseUnknown(kind, new Set(['type', 'curve']))
      return ['ec', { namedCurve: CURVES[kind.curve ?? 'P-256'] ?? kind.curve }]
    case 'ed25519':
    case 'ed448':
      refuseUnknown(kind, new Set(['type']))
      return [kind.type, {}]
    default:
      throw wrongValue('type', "must be 'rsa', 'rsa-pss', 'ec', 'ed25519' or 'ed448'")
  }
}

function bitsOf(bits = 2048): number {
  if (!Number.isInteger(bits) || bits < 1024 || bits > 16384)
    throw wrongValue('bits', 'must be a whole number from 1024 to 16384')
  return bits
}

function pssLimits(modulusLength: number, digest: string): object {
  const saltLength = { sha256: 32, sha384: 48, sha512: 64 }[digest]
  if (saltLength === undefined) throw wrongValue('digest', "must be 'sha256', 'sha384' or 'sha512'")
  return { modulusLength, hashAlgorithm: digest, mgf1HashAlgorithm: digest, saltLength }
}
