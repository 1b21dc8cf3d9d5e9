import {
  contextTag,
  element,
  headerLength,
  integer,
  openDer,
  readBitString,
  readString,
  sequence,
  Tag,
  time,
  writeHeader,
} from '@x/der'
import type { CertificateView } from '@x/der/x509'
import { signatureAlgorithm, signDer } from '@x/utils'
import { authorityKeyIdentifier, type Signer } from './authority.ts'
import { cloneExtensions } from './clone-extensions.ts'
import type { LeafKey } from './leaf-keys.ts'
import type { Validity } from './validity.ts'

const VERSION_3 = element(contextTag(0, true), integer(2))
const EXTENSIONS = contextTag(3, true)

/** What goes into one clone. */
export interface CloneRecipe {
  readonly origin: CertificateView
  readonly leafKey: LeafKey
  readonly signer: Signer
  /** INTEGER, DER. */
  readonly serial: Uint8Array
  readonly validity: Validity
  readonly mirrorInvalidity: boolean
}

/**
 * DER of the clone: the origin's subject octet by octet, everything that its CA says said by ours. Written in one piece, since
 * nested `sequence()` calls would copy each octet at every level.
 */
export function encodeClone({ origin, leafKey, signer, serial, validity, mirrorInvalidity }: CloneRecipe): Uint8Array {
  checkName(origin.subject)
  const extensions = cloneExtensions(origin, mirrorInvalidity)
  extensions.push(leafKey.subjectKeyIdentifier, signer.authorityKeyIdentifier)
  const fields = [
    VERSION_3,
    serial,
    signatureAlgorithm(signer.privateKey),
    signer.subject,
    validity === origin ? origin.validity : sequence(time(validity.notBefore), time(validity.notAfter)),
    origin.subject,
    leafKey.spki,
  ]
  const listLength = lengthOf(extensions)
  const wrapperLength = headerLength(listLength) + listLength
  const tbsLength = lengthOf(fields) + headerLength(wrapperLength) + wrapperLength
  const tbs = scratch(headerLength(tbsLength) + tbsLength)
  let p = writeAll(tbs, writeHeader(tbs, 0, Tag.SEQUENCE, tbsLength), fields)
  p = writeHeader(tbs, p, EXTENSIONS, wrapperLength)
  writeAll(tbs, writeHeader(tbs, p, Tag.SEQUENCE, listLength), extensions)
  const { algorithm, signature } = signDer(tbs, signer.privateKey)
  const bits = 1 + signature.length
  const length = tbs.length + algorithm.length + headerLength(bits) + bits
  const out = new Uint8Array(headerLength(length) + length)
  p = writeAll(out, writeHeader(out, 0, Tag.SEQUENCE, length), [tbs, algorithm])
  out.set(signature, writeHeader(out, p, Tag.BIT_STRING, bits) + 1)
  return out
}

const SCRATCH = new Uint8Array(8192)

/** Room for what is signed: written, signed and copied before anything else can run. */
function scratch(length: number): Uint8Array {
  return length <= SCRATCH.length ? SCRATCH.subarray(0, length) : new Uint8Array(length)
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

function writeAll(out: Uint8Array, offset: number, parts: readonly Uint8Array[]): number {
  let p = offset
  for (const part of parts) {
    out.set(part, p)
    p += part.length
  }
  return p
}

/** OpenSSL refuses a certificate whose subject holds malformed text, so a copy of it would be useless. An empty RDN passes, as it does there; BIT STRING is X.520's unique identifier. */
function checkName(name: Uint8Array): void {
  const rdns = openDer(name)
  while (!rdns.done) {
    const set = rdns.enterExpected(Tag.SET)
    while (!set.done) {
      const attribute = set.enterExpected(Tag.SEQUENCE)
      attribute.expect(Tag.OID)
      if (attribute.next() === Tag.BIT_STRING) readBitString(attribute)
      else readString(attribute)
      attribute.finish()
    }
  }
}

/** Signs a clone with its own key, as the origin did. */
export function selfSigner(origin: CertificateView, leafKey: LeafKey): Signer {
  return {
    subject: origin.subject,
    privateKey: leafKey.privateKey,
    authorityKeyIdentifier: authorityKeyIdentifier(leafKey.identifier),
  }
}
