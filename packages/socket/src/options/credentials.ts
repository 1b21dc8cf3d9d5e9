import { readFileSync } from 'node:fs'
import type { KeyObject, X509Certificate } from 'node:crypto'
import { certificateToPem, parseCertificates, parsePkcs12, parsePrivateKey } from '@x/utils'
import { SecureSocketError } from '../errors.ts'
import type { Resolved } from './resolve.ts'
import type { PassphraseOption } from './types.ts'

/** What node:tls is given: PEM texts, whatever the program passed. */
export interface Credentials {
  readonly cert: string
  readonly key: string
}

/**
 * The certificate (with its intermediates) and the key of one side, from texts, bytes, objects, files or PKCS#12.
 * The key is looked for in the certificate's file where none is given.
 * @throws SecureSocketError ERR_SECURE_SOCKET_CREDENTIALS where the key is missing or belongs to another certificate;
 *   errors of @x/utils and of the file system pass through.
 */
export function loadCredentials(context: Resolved['context']): Credentials | undefined | Promise<Credentials> {
  const { cert, certFile, pfx, passphrase } = context
  if (pfx !== undefined) return fromBundle(pfx, passphrase)
  const input = certFile === undefined ? cert : readFileSync(certFile)
  if (input === undefined) return undefined
  if (input instanceof Uint8Array && looksLikePkcs12(input)) return fromBundle(input, passphrase)
  const certificates = parseCertificates(input)
  const keyInput = context.keyFile === undefined ? context.key : readFileSync(context.keyFile)
  const keySource = keyInput ?? (Array.isArray(input) ? input : [input]).find(holdsKey)
  if (keySource === undefined) throw noKey()
  const key = parsePrivateKey(keySource, passphrase === undefined ? {} : { passphrase })
  return key instanceof Promise ? key.then((loaded) => paired(certificates, loaded)) : paired(certificates, key)
}

async function fromBundle(bytes: Uint8Array, passphrase: PassphraseOption | undefined): Promise<Credentials> {
  const identity = await parsePkcs12(bytes, passphrase === undefined ? {} : { passphrase })
  const { certificate, chain, privateKey } = identity
  if (certificate === undefined || privateKey === undefined) throw noKey()
  return paired([certificate, ...chain], privateKey)
}

function holdsKey(input: unknown): input is string | Uint8Array {
  if (typeof input === 'string') return input.includes(KEY_BLOCK)
  return input instanceof Uint8Array && Buffer.from(input.buffer, input.byteOffset, input.length).includes(KEY_BLOCK)
}

/** How the PEM label of every form of private key ends (RFC 7468 sections 10 and 11, and the older ones). */
const KEY_BLOCK = 'PRIVATE KEY-----'

/** PKCS#12 begins with its version, 3, where a certificate begins with a SEQUENCE (RFC 7292 section 4). */
function looksLikePkcs12(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x30) return false
  const lengthOctets = (bytes[1] ?? 0) < 0x80 ? 0 : (bytes[1] ?? 0) & 0x7f
  const at = 2 + lengthOctets
  return bytes[at] === 0x02 && bytes[at + 1] === 0x01 && bytes[at + 2] === 0x03
}

function paired(certificates: readonly X509Certificate[], key: KeyObject): Credentials {
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key))
  if (leaf === undefined)
    throw new SecureSocketError('ERR_SECURE_SOCKET_CREDENTIALS', 'the private key does not belong to the certificate', {
      hint: 'give the key that the certificate was issued for',
    })
  // the certificate that the key belongs to goes first, wherever it stood in the file
  const ordered = [leaf, ...certificates.filter((certificate) => certificate !== leaf)]
  return { cert: certificateToPem(ordered), key: key.export({ type: 'pkcs8', format: 'pem' }) as string }
}

function noKey(): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_CREDENTIALS', 'a certificate without a private key', {
    hint: "give 'key' or 'keyFile', or a certificate file that holds the key too",
  })
}
