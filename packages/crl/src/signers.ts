import { ExtensionId, KeyUsage } from '@x/der/x509'
import { verifySignature } from '@x/utils'
import type { Crl } from './crl.ts'
import { CrlError } from './errors.ts'
import { type Clock, type Signer, verifySigner } from './verify-crl.ts'

/** How many certificates of one name are tried for one list. */
const MAX_CANDIDATES = 8

/** Extensions of a delegated signer's certificate that may be critical; its purpose is told by cRLSign alone. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ExtensionId.SUBJECT_KEY_IDENTIFIER,
  ExtensionId.KEY_USAGE,
  ExtensionId.SUBJECT_ALT_NAME,
  ExtensionId.ISSUER_ALT_NAME,
  ExtensionId.BASIC_CONSTRAINTS,
  ExtensionId.CRL_DISTRIBUTION_POINTS,
  ExtensionId.CERTIFICATE_POLICIES,
  ExtensionId.AUTHORITY_KEY_IDENTIFIER,
])

/** Whom a question lets sign lists. */
export interface Signers {
  /** Certificates of the verified path above the one in question, its issuer first. */
  readonly path: readonly Signer[]
  /** Certificates that may have signed lists on behalf of the path's CAs, or with a key for lists alone; nothing verified. */
  readonly delegates: readonly Signer[]
  readonly clock: Clock
  /** Whether a delegate, issued by this member of the path, is itself shown not to be revoked. */
  readonly isGood: (delegate: Signer, issuer: Signer) => boolean
}

/**
 * Who signed the list, of those who may (RFC 5280 section 6.3.3, f and g): a certificate of the verified path, or one that a
 * member of the path issued, that is valid now, has cRLSign and is itself not revoked.
 *
 * @throws CrlError why the last of the candidates is not it; ERR_CRL_ISSUER_MISMATCH where there is no candidate
 */
export function signerOf(crl: Crl, signers: Signers): Signer {
  const named = ({ subjectKey }: Signer): boolean => subjectKey === crl.issuerKey
  const onPath = signers.path.filter(named)
  let failure = new CrlError('ERR_CRL_ISSUER_MISMATCH', 'the certificate of the issuer of the list is not at hand')
  for (const signer of [...onPath, ...signers.delegates.filter(named)].slice(0, MAX_CANDIDATES + onPath.length))
    try {
      verifySigner(crl, signer)
      if (!onPath.includes(signer)) vouch(signer, signers)
      return signer
    } catch (error) {
      if (!(error instanceof CrlError)) throw error
      failure = error
    }
  throw failure
}

/** Refuses a delegate that no member of the path issued for the purpose. */
function vouch(delegate: Signer, signers: Signers): void {
  const { view } = delegate
  const refuse = (why: string): CrlError => new CrlError('ERR_CRL_SIGNER_UNAUTHORIZED', `the signer of the list ${why}`)
  if (delegate.keyUsage === undefined || !(delegate.keyUsage & KeyUsage.CRL_SIGN)) throw refuse('has no cRLSign')
  if (!(view.notBefore <= signers.clock.now && signers.clock.now <= view.notAfter))
    throw refuse('is not valid at this time')
  const unknown = delegate.extensions.find(({ critical, oid }) => critical && !UNDERSTOOD.has(oid))
  if (unknown !== undefined) throw refuse(`has a critical extension we do not judge: ${unknown.oid}`)
  const issuer = signers.path.find((member) => issued(member, delegate))
  if (issuer === undefined) throw refuse('was not issued by a certificate of the verified path')
  if (!signers.isGood(delegate, issuer)) throw refuse('is not shown to be unrevoked itself')
}

function issued(issuer: Signer, { view, issuerKey }: Signer): boolean {
  if (issuer.subjectKey !== issuerKey || !issuer.isCa) return false
  if (issuer.keyUsage !== undefined && !(issuer.keyUsage & KeyUsage.KEY_CERT_SIGN)) return false
  try {
    verifySignature({
      algorithm: view.signatureAlgorithm,
      data: view.tbs,
      signature: view.signature,
      publicKey: issuer.view.spki,
    })
    return true
  } catch {
    return false
  }
}
