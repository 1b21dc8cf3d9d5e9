import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { openDer, readOctetAlignedBits, Tag } from '@x/der'
import { CertificateView, sameBytes } from '@x/der/x509'
import { type CertificateInput, toCertificateDer } from '@x/utils'
import { OcspError } from './errors.ts'
import { codeOf } from './foreign-errors.ts'

/** The digests by which a CertID may name an issuer (RFC 6960 section 4.1.1); SHA-1 is an index here, not a signature. */
export type CertIdHash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/**
 * What is worth keeping of an issuer or of a delegated responder: its fields, its key and the digests that CertIDs and
 * responder ids are made of. Kept by content, not by identity, so that a buffer that its owner overwrites cannot turn
 * one CA into another.
 */
export class CertificateFacts {
  readonly view: CertificateView
  readonly #hashes = new Map<CertIdHash, { readonly name: Uint8Array; readonly key: Uint8Array }>()
  #keyBits: Uint8Array | undefined
  #key: KeyObject | undefined

  constructor(view: CertificateView) {
    this.view = view
  }

  /** The subjectPublicKey's bits, without tag, length and number of unused bits. */
  get keyBits(): Uint8Array {
    if (this.#keyBits === undefined) {
      const spki = openDer(this.view.spki)
      spki.expect(Tag.SEQUENCE)
      this.#keyBits = readOctetAlignedBits(spki.expect(Tag.BIT_STRING))
      spki.finish()
    }
    return this.#keyBits
  }

  /** The public key. OpenSSL needs some 100 us to decode one: hence kept. */
  get key(): KeyObject {
    this.#key ??= createPublicKey({ key: Buffer.from(this.view.spki), format: 'der', type: 'spki' })
    return this.#key
  }

  /** Digests of the subject Name and of the key bits. */
  hashes(hash: CertIdHash): { readonly name: Uint8Array; readonly key: Uint8Array } {
    let found = this.#hashes.get(hash)
    if (found === undefined) {
      found = { name: digest(hash, this.view.subject), key: digest(hash, this.keyBits) }
      this.#hashes.set(hash, found)
    }
    return found
  }

  /** Digest of the issuer Name as the certificate in question spells it, which may differ from this CA's own spelling. */
  nameHash(hash: CertIdHash, issuerName: Uint8Array): Uint8Array {
    return sameBytes(issuerName, this.view.subject) ? this.hashes(hash).name : digest(hash, issuerName)
  }
}

/** How many issuers and responders are kept; the one unused for longest goes first. */
const MAX_FACTS = 128

const facts = new Map<string, CertificateFacts>()

/** Facts of a certificate given as DER. */
export function factsOf(der: Uint8Array): CertificateFacts {
  const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('latin1')
  const known = facts.get(key)
  if (known !== undefined) {
    if (facts.size > MAX_FACTS / 2) {
      facts.delete(key)
      facts.set(key, known)
    }
    return known
  }
  const made = new CertificateFacts(new CertificateView(Uint8Array.from(der)))
  if (facts.size >= MAX_FACTS) facts.delete(facts.keys().next().value as string)
  facts.set(key, made)
  return made
}

/** The issuer that a caller named, as facts. @throws OcspError ERR_OCSP_CERTIFICATE_INVALID */
export function issuerFacts(input: CertificateInput): CertificateFacts {
  return wrapped(input, 'issuer', factsOf)
}

/** The certificate that a caller asks about, as views into the caller's bytes. @throws OcspError ERR_OCSP_CERTIFICATE_INVALID */
export function certificateView(input: CertificateInput, option = 'certificate'): CertificateView {
  return wrapped(input, option, (der) => new CertificateView(der))
}

function wrapped<T>(input: CertificateInput, option: string, read: (der: Uint8Array) => T): T {
  try {
    return read(toCertificateDer(input, option))
  } catch (cause) {
    if (codeOf(cause).startsWith('ERR_INVALID_ARG_')) throw cause
    throw new OcspError('ERR_OCSP_CERTIFICATE_INVALID', `The "${option}" cannot be read as a certificate`, { cause })
  }
}

function digest(hash: CertIdHash, bytes: Uint8Array): Uint8Array {
  return createHash(hash).update(bytes).digest()
}
