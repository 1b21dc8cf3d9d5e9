import { createDecipheriv, createHmac } from 'node:crypto'
import { type DerCursor, DerError, openDer, readOid, readSmallInteger, Tag } from '@x/der'
import { derivePbkdf1, derivePbkdf2, derivePkcs12, MAX_ITERATIONS, MAX_SLOW_ITERATIONS } from './key-derivation.ts'
import { decryptRc2Cbc } from './rc2.ts'

/** Why something was not decrypted. */
export type PasswordFailure = 'unsupported' | 'wrong-passphrase' | 'too-many-iterations'

/** Plain octets, or why there are none. */
export type Decrypted = Uint8Array | PasswordFailure

type Cipher = (key: Uint8Array, iv: Uint8Array, data: Uint8Array) => Uint8Array

type Refusal = undefined | 'too-many-iterations'

/** How many rounds of PBKDF2 may still be spent: many small parts of a file would block the program as one large one does. */
export interface RoundBudget {
  left: number
}

/** What one key, or one file with all its parts, may cost. */
export function roundBudget(): RoundBudget {
  return { left: MAX_ITERATIONS }
}

/** A key, its initialisation vector, and what to do with them. */
interface Recipe {
  readonly key: Uint8Array
  readonly iv: Uint8Array
  readonly cipher: Cipher
}

/**
 * Decrypts by a password-based AlgorithmIdentifier (DER with header): PBES2 with PBKDF2 and AES or triple DES (RFC 8018),
 * PBES1 with DES or RC2 (RFC 8018 appendix A.3), PKCS#12's own with triple DES or RC2 (RFC 7292 appendix C).
 * A wrong passphrase shows by the padding, and is taken for right once in 256 times: the caller must check the content.
 * A DerError where the identifier is broken.
 */
export function decryptPasswordBased(
  algorithm: Uint8Array,
  data: Uint8Array,
  passphrase: string | undefined,
  budget: RoundBudget = roundBudget(),
): Decrypted {
  const fields = openDer(algorithm)
  const id = readOid(fields.expect(Tag.OID))
  const recipe =
    id === PBES2
      ? pbes2(fields, passphrase ?? '', budget)
      : (pbes1(id, fields, passphrase ?? '', budget) ?? pkcs12(id, fields, passphrase, budget))
  if (recipe === undefined) return 'unsupported'
  if (recipe === 'too-many-iterations') return recipe
  if (data.length === 0 || data.length % recipe.iv.length !== 0) return 'wrong-passphrase'
  const padded = recipe.cipher(recipe.key, recipe.iv, data)
  return withoutPadding(padded, recipe.iv.length) ?? 'wrong-passphrase'
}

/** PBMAC1 (RFC 9579, RFC 8018 section 7.1): the parameters' HMAC over data, or undefined where unsupported. */
export function passwordBasedMac(parameters: DerCursor, data: Uint8Array, passphrase: string): Uint8Array | undefined {
  const kdf = readPbkdf2(parameters.enterExpected(Tag.SEQUENCE))
  const scheme = parameters.enterExpected(Tag.SEQUENCE)
  const digest = HMACS[readOid(scheme.expect(Tag.OID))]
  if (kdf === 'too-many-iterations' || kdf?.keyLength === undefined || digest === undefined) return undefined
  const key = derivePbkdf2(kdf.digest, passphrase, kdf.salt, kdf.iterations, kdf.keyLength)
  return createHmac(digest, key).update(data).digest()
}

const PBES2 = '1.2.840.113549.1.5.13'
const SCRYPT = '1.3.6.1.4.1.11591.4.11'
const PBKDF2 = '1.2.840.113549.1.5.12'
const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
const CIPHERS: Readonly<
  Record<string, { readonly name: string; readonly keyLength: number; readonly ivLength: number }>
> = {
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyLength: 24, ivLength: 8 },
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyLength: 16, ivLength: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyLength: 24, ivLength: 16 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyLength: 32, ivLength: 16 },
}

/** RFC 8018 appendix A.4. */
function pbes2(fields: DerCursor, passphrase: string, budget: RoundBudget): Recipe | Refusal {
  const parameters = fields.enterExpected(Tag.SEQUENCE)
  const kdf = readPbkdf2(parameters.enterExpected(Tag.SEQUENCE))
  const scheme = parameters.enterExpected(Tag.SEQUENCE)
  const cipher = CIPHERS[readOid(scheme.expect(Tag.OID))]
  if (kdf === undefined || kdf === 'too-many-iterations') return kdf
  if (cipher === undefined) return undefined
  const iv = scheme.expect(Tag.OCTET_STRING).content()
  if (iv.length !== cipher.ivLength || (kdf.keyLength ?? cipher.keyLength) !== cipher.keyLength) return undefined
  if (!spend(budget, kdf.iterations)) return 'too-many-iterations'
  const key = derivePbkdf2(kdf.digest, passphrase, kdf.salt, kdf.iterations, cipher.keyLength)
  return { key, iv, cipher: openssl(cipher.name) }
}

interface Pbkdf2 {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly keyLength: number | undefined
  readonly digest: string
}

/** RFC 8018 appendix A.2; the pseudo-random function is HMAC-SHA-1 where it is not said. */
function readPbkdf2(algorithm: DerCursor): Pbkdf2 | Refusal {
  const id = readOid(algorithm.expect(Tag.OID))
  if (id === SCRYPT) return readScrypt(algorithm.enterExpected(Tag.SEQUENCE))
  if (id !== PBKDF2) return undefined
  const parameters = algorithm.enterExpected(Tag.SEQUENCE)
  if (!parameters.optional(Tag.OCTET_STRING)) return undefined
  const salt = parameters.content()
  const iterations = readIterations(parameters)
  const keyLength = parameters.optional(Tag.INTEGER) ? readSmallInteger(parameters) : undefined
  const digest = parameters.optional(Tag.SEQUENCE) ? HMACS[readOid(parameters.enter().expect(Tag.OID))] : 'sha1'
  if (iterations > MAX_ITERATIONS) return 'too-many-iterations'
  if (digest === undefined || !((keyLength ?? 1) > 0 && (keyLength ?? 1) <= 64)) return undefined
  return { salt, iterations, keyLength, digest }
}

/** Left to OpenSSL, which limits the memory, about 2^18 for N times r, and not the time (RFC 7914 section 7.1). */
function readScrypt(parameters: DerCursor): Refusal {
  parameters.expect(Tag.OCTET_STRING)
  const [n, r, p] = [1, 2, 3].map(() => readSmallInteger(parameters.expect(Tag.INTEGER))) as [number, number, number]
  return n * r * p > MAX_SCRYPT ? 'too-many-iterations' : undefined
}

/** N times r times p: some 3 seconds, and 64 times what OpenSSL writes. */
const MAX_SCRYPT = 2 ** 23

/** Digest, cipher and RC2's effective bits, by OID (RFC 8018 appendix A.3). */
const PBES1: Readonly<Record<string, readonly [digest: string, cipher: 'des' | 'rc2']>> = {
  '1.2.840.113549.1.5.3': ['md5', 'des'],
  '1.2.840.113549.1.5.6': ['md5', 'rc2'],
  '1.2.840.113549.1.5.10': ['sha1', 'des'],
  '1.2.840.113549.1.5.11': ['sha1', 'rc2'],
}

function pbes1(id: string, fields: DerCursor, passphrase: string, budget: RoundBudget): Recipe | Refusal {
  const row = PBES1[id]
  if (row === undefined) return undefined
  const parameters = readSaltAndIterations(fields, budget)
  if (parameters === 'too-many-iterations') return parameters
  const derived = derivePbkdf1(row[0], passphrase, parameters.salt, parameters.iterations, 16)
  const key = derived.subarray(0, 8)
  // single DES is triple DES with the same key three times; OpenSSL 3 has only the latter by default
  const cipher = row[1] === 'des' ? openssl('des-ede3-cbc') : rc2(64)
  return { key: row[1] === 'des' ? Buffer.concat([key, key, key]) : key, iv: derived.subarray(8), cipher }
}

/** Length of the key and cipher, by OID (RFC 7292 appendix C). */
const PKCS12: Readonly<Record<string, readonly [keyLength: number, cipher: Cipher]>> = {
  '1.2.840.113549.1.12.1.3': [24, openssl('des-ede3-cbc')],
  '1.2.840.113549.1.12.1.4': [
    16,
    (key, iv, data) => openssl('des-ede3-cbc')(Buffer.concat([key, key.subarray(0, 8)]), iv, data),
  ],
  '1.2.840.113549.1.12.1.5': [16, rc2(128)],
  '1.2.840.113549.1.12.1.6': [5, rc2(40)],
}

function pkcs12(id: string, fields: DerCursor, passphrase: string | undefined, budget: RoundBudget): Recipe | Refusal {
  if (!id.startsWith('1.2.840.113549.1.12.1.')) return undefined
  // Those without a row, too: OpenSSL, which is asked then, takes any number of rounds.
  const parameters = readSaltAndIterations(fields, budget)
  const row = PKCS12[id]
  if (parameters === 'too-many-iterations') return parameters
  if (row === undefined) return undefined
  const { salt, iterations } = parameters
  const key = derivePkcs12('sha1', 'key', passphrase, salt, iterations, row[0])
  const iv = derivePkcs12('sha1', 'iv', passphrase, salt, iterations, 8)
  return key === undefined || iv === undefined ? undefined : { key, iv, cipher: row[1] }
}

interface SaltAndIterations {
  readonly salt: Uint8Array
  readonly iterations: number
}

function readSaltAndIterations(fields: DerCursor, budget: RoundBudget): SaltAndIterations | 'too-many-iterations' {
  const parameters = fields.enterExpected(Tag.SEQUENCE)
  const salt = parameters.expect(Tag.OCTET_STRING).content()
  const iterations = readIterations(parameters)
  if (iterations > MAX_SLOW_ITERATIONS || !spend(budget, iterations * SLOWNESS)) return 'too-many-iterations'
  return { salt, iterations }
}

const SLOWNESS = MAX_ITERATIONS / MAX_SLOW_ITERATIONS

function spend(budget: RoundBudget, rounds: number): boolean {
  budget.left -= rounds
  return budget.left >= 0
}

function readIterations(parameters: DerCursor): number {
  const iterations = readSmallInteger(parameters.expect(Tag.INTEGER))
  if (iterations < 1) throw new DerError('ERR_DER_INVALID_VALUE', 'a derivation of no rounds', parameters.start)
  return iterations
}

function openssl(name: string): Cipher {
  return (key, iv, data) => {
    const decipher = createDecipheriv(name, key, iv).setAutoPadding(false)
    return Buffer.concat([decipher.update(data), decipher.final()])
  }
}

function rc2(effectiveBits: number): Cipher {
  return (key, iv, data) => decryptRc2Cbc(key, iv, data, effectiveBits)
}

/** RFC 8018 section 6.1.1 step 4. */
function withoutPadding(padded: Uint8Array, block: number): Uint8Array | undefined {
  const count = padded.at(-1) ?? 0
  if (count < 1 || count > block || count > padded.length) return undefined
  for (let i = padded.length - count; i < padded.length; i++) if (padded[i] !== count) return undefined
  return padded.subarray(0, padded.length - count)
}
