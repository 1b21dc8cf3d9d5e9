import { createPublicKey, type KeyObject } from 'node:crypto'
import { sameBytes } from '@x/der/x509'
import { verifySignature } from '@x/utils'
import type { CertificateFacts } from './certificate-facts.ts'
import type { PathCode } from './codes.ts'

export type SignatureFailure = { readonly code: PathCode; readonly detail: string }

/** Whether `issuer`'s key has signed `subject` (RFC 5280 section 6.1.3 (a)(1)); undefined where it has. How strong that is, is asked elsewhere. */
export function checkSignature(subject: CertificateFacts, issuer: CertificateFacts): SignatureFailure | undefined {
  const { view } = subject
  // RFC 5280 section 4.1.1.2: otherwise what was signed names another algorithm than what is verified
  if (!sameBytes(view.signatureAlgorithm, view.tbsSignatureAlgorithm))
    return { code: 'CERT_SIGNATURE_FAILURE', detail: 'its two signature algorithms differ' }
  const publicKey = publicKeyOf(issuer)
  if (publicKey === undefined)
    return { code: 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', detail: `of kind ${issuer.key.text}` }
  try {
    verifySignature({
      algorithm: view.signatureAlgorithm,
      data: view.tbs,
      signature: view.signature,
      publicKey,
      weakDigests: 'tell',
    })
    return undefined
  } catch (error) {
    if (!isCertificateError(error)) throw error
    return { code: 'CERT_SIGNATURE_FAILURE', detail: error.message }
  }
}

function isCertificateError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_CERT_')
  )
}

/** Decoding a key costs as much as verifying with it: those of intermediates that peers send again and again are kept, the least recently used goes. */
const recent = new Map<string, KeyObject>()
const MAX_RECENT = 256

function publicKeyOf(issuer: CertificateFacts): KeyObject | undefined {
  if (issuer.publicKey !== undefined) return issuer.publicKey
  const { spki } = issuer.view
  const bytes = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength)
  const id = bytes.toString('latin1')
  const known = recent.get(id) ?? decode(bytes)
  if (known === undefined) return undefined
  issuer.publicKey = known
  recent.delete(id)
  recent.set(id, known)
  if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value as string)
  return known
}

function decode(spki: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    return undefined // OpenSSL's reasons are many, and all of them mean that nothing can be verified with it
  }
}
