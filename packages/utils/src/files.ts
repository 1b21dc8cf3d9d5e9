import type { KeyObject, X509Certificate } from 'node:crypto'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type WritableFileSystem, writeAtomically } from './atomic-write.ts'
import type { CertificateListInput } from './certificate-input.ts'
import { certificateToPem, parseCertificate, parseCertificates } from './certificates.ts'
import { CertificateError } from './errors.ts'
import { type Identity, parseIdentity } from './identity.ts'
import { refuseUnknown, wrongValue } from './misuse.ts'
import { MAX_INPUT_BYTES } from './pem.ts'
import { parsePrivateKey, type Passphrase, type PrivateKeyInput, privateKeyToPem } from './private-keys.ts'

/** A file's path, or its `file:` URL. */
export type FilePath = string | URL

/** Options of the functions that read keys. */
export interface ReadKeyOptions {
  /** For encrypted keys and PKCS#12. */
  readonly passphrase?: Passphrase | undefined
}

/**
 * The first certificate of a PEM or DER file (the original's `PEM_file2cert`).
 *
 * @throws CertificateError as {@link parseCertificate}, with the file's `path`; errors of the file system as they are
 */
export async function readCertificate(path: FilePath): Promise<X509Certificate> {
  return withPath(path, parseCertificate)
}

/**
 * Every certificate of a PEM bundle, or the one of a DER file (the original's `PEM_file2certs`).
 *
 * @throws CertificateError as {@link parseCertificates}, with the file's `path`; errors of the file system as they are
 */
export async function readCertificates(path: FilePath): Promise<X509Certificate[]> {
  return withPath(path, parseCertificates)
}

/**
 * The private key in a PEM or DER file (the original's `PEM_file2key`).
 *
 * @throws CertificateError as {@link parsePrivateKey}, with the file's `path`; errors of the file system as they are
 */
export async function readPrivateKey(path: FilePath, options: ReadKeyOptions = {}): Promise<KeyObject> {
  refuseUnknown(options, new Set(['passphrase']))
  return withPath(path, (bytes) => parsePrivateKey(bytes, options))
}

/**
 * A certificate, its chain and its key out of one file, PEM or PKCS#12, or out of two with `keyFile`.
 *
 * @throws CertificateError as {@link parseIdentity}, with the file's `path`; errors of the file system as they are
 */
export async function readIdentity(
  path: FilePath,
  options: ReadKeyOptions & { readonly keyFile?: FilePath | undefined } = {},
): Promise<Identity> {
  refuseUnknown(options, new Set(['passphrase', 'keyFile']))
  const { passphrase, keyFile } = options
  const privateKey = keyFile === undefined ? undefined : await readPrivateKey(keyFile, { passphrase })
  return withPath(path, (bytes) => parseIdentity(bytes, { passphrase, privateKey }))
}

/** Options of the functions that write files. */
export interface WriteOptions {
  /** The file system to write to. Default: `node:fs/promises`. */
  readonly fs?: WritableFileSystem | undefined
}

/**
 * Writes certificates as PEM, mode 0644 (the original's `PEM_certs2file`). The file is replaced as a whole: after an error
 * the old one is still there.
 *
 * @throws CertificateError as {@link certificateToPem}; errors of the file system as they are
 */
export async function writeCertificates(
  path: FilePath,
  certificates: CertificateListInput,
  options: WriteOptions = {},
): Promise<void> {
  refuseUnknown(options, new Set(['fs']))
  await writeAtomically(pathOf(path), certificateToPem(certificates), 0o644, options.fs)
}

/**
 * Writes a private key as PEM (PKCS#8), encrypted where a passphrase is given, readable by the owner only: mode 0600 from
 * the first byte on (the original's `PEM_key2file`). The file is replaced as a whole: after an error the old one is still there.
 * On Windows the mode says nothing; the directory's access rules apply.
 *
 * @throws CertificateError as {@link parsePrivateKey}; errors of the file system as they are
 */
export async function writePrivateKey(
  path: FilePath,
  key: PrivateKeyInput,
  options: WriteOptions & { readonly passphrase?: string | undefined } = {},
): Promise<void> {
  refuseUnknown(options, new Set(['fs', 'passphrase']))
  await writeAtomically(pathOf(path), privateKeyToPem(key, { passphrase: options.passphrase }), 0o600, options.fs)
}

/** Reads a file and parses it; our own errors get the file's path. */
async function withPath<T>(file: FilePath, parse: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  const path = pathOf(file)
  const bytes = await readBounded(path)
  try {
    return await parse(bytes)
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    throw new CertificateError(error.code, `${path}: ${error.message}`, { cause: error.cause, path })
  }
}

function pathOf(file: FilePath): string {
  const path = file instanceof URL ? fileURLToPath(file) : file
  if (typeof path !== 'string' || path === '') throw wrongValue('path', 'must be a non-empty string or a file: URL')
  return path
}

/** No more than is looked at: the path may be that of a device. */
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const chunks: Uint8Array[] = []
    let length = 0
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(65_536))
      if (bytesRead === 0) return Buffer.concat(chunks)
      chunks.push(buffer.subarray(0, bytesRead))
      length += bytesRead
      if (length > MAX_INPUT_BYTES) throw new CertificateError('ERR_CERT_TOO_LARGE', `${path} is too large`, { path })
    }
  } finally {
    await file.close()
  }
}
