import {
  bitString,
  contextTag,
  element,
  integer,
  openDer,
  readBitString,
  readOid,
  readString,
  sequence,
  Tag,
  time,
} from '@x/der'
import type { CertificateView } from '@x/der/x509'
import { signatureAlgorithm, signDer } from '@x/utils'
import { authorityKeyIdentifier, type Signer } from './authority.ts'
import { cloneExtensions } from './clone-extensions.ts'
import type { LeafKey } from './leaf-keys.ts'
import type { Validity } from './validity.ts'

const VERSION_3 = element(contextTag(0, true), integer(2))

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

/** DER of the clone: the origin's subject octet by octet, everything that its CA says said by ours. */
export function encodeClone({ origin, leafKey, signer, serial, validity, mirrorInvalidity }: CloneRecipe): Uint8Array {
  checkName(origin.subject)
  const extensions = cloneExtensions(origin, mirrorInvalidity)
  extensions.push(leafKey.subjectKeyIdentifier, signer.authorityKeyIdentifier)
  const tbs = sequence(
    VERSION_3,
    serial,
    signatureAlgorithm(signer.privateKey),
    signer.subject,
    sequence(time(validity.notBefore), time(validity.notAfter)),
    origin.subject,
    leafKey.spki,
    element(contextTag(3, true), sequence(...extensions)),
  )
  const { algorithm, signature } = signDer(tbs, signer.privateKey)
  return sequence(tbs, algorithm, bitString(signature))
}

/** OpenSSL refuses a certificate whose subject holds malformed text, so a copy of it would be useless. An empty RDN passes, as it does there; BIT STRING is X.520's unique identifier. */
function checkName(name: Uint8Array): void {
  const rdns = openDer(name)
  while (!rdns.done) {
    const set = rdns.enterExpected(Tag.SET)
    while (!set.done) {
      const attribute = set.enterExpected(Tag.SEQUENCE)
      readOid(attribute.expect(Tag.OID))
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
