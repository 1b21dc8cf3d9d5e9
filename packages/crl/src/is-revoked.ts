import { sameBytes } from '@x/der/x509'
import { type CertificateInput, type CertificateListInput, toCertificateDers } from '@x/utils'
import type { Crl } from './crl.ts'
import { CrlError, reading } from './errors.ts'
import { judge } from './judge.ts'
import { refuseUnknown } from './misuse.ts'
import { type CrlListInput, parseCrls } from './parse-crl.ts'
import { readSubject, type Subject } from './scope.ts'
import type { Signers } from './signers.ts'
import type { CrlStatus } from './status.ts'
import { type Clock, readClock, readSigner, type Signer, type VerifyCrlOptions } from './verify-crl.ts'

/** What may be told beside a certificate and its issuer. */
export interface QuestionOptions extends VerifyCrlOptions {
  /**
   * The other certificates of the verified path, up to its anchor. They may have issued a list's signer, or sign indirect
   * lists. Give only what was verified: they are trusted here, but for those that are no CAs. The whole path may be given.
   * Default: none but the issuer.
   */
  readonly chain?: CertificateListInput
  /**
   * Certificates that may have signed lists although they are not in the chain: of an indirect list's issuer, or of a CA's key for
   * lists alone. They may come from anywhere: a member of the path must have issued them, with cRLSign, and they must
   * themselves be shown good by the lists at hand.
   */
  readonly crlIssuers?: CertificateListInput
}

/** Options of {@link isRevoked}. */
export interface IsRevokedOptions extends QuestionOptions {
  /** The lists to answer from, complete and delta; every list of a bundle counts. */
  readonly crls: CrlListInput
}

const OPTIONS: ReadonlySet<string> = new Set(['crls', 'now', 'clockSkew', 'chain', 'crlIssuers'])

/**
 * Whether the certificate was revoked, by the lists given (RFC 5280 section 6.3). Synchronous; fetches nothing.
 * 'good' only where lists say so that are verified, current and together complete for the certificate's scope; a revocation
 * in any of them wins; everything else is 'unknown' with a code. Lists parsed once (`parseCrl`) are indexed and verified once.
 *
 * Not checked: that `issuer` issued the certificate, beyond the name, and is trusted: verify the path first.
 *
 * @throws TypeError for misuse only: what certificates and lists hold makes the answer 'unknown'
 */
export function isRevoked(
  certificate: CertificateInput,
  issuer: CertificateInput,
  options: IsRevokedOptions,
): CrlStatus {
  refuseUnknown(options, OPTIONS)
  const errors: CrlError[] = []
  const crls = collectLists(options.crls, errors)
  return answer(() => ask(readQuestion(certificate, issuer, options), crls, errors))
}

/** A certificate with everything that decides what lists say about it. */
export interface Question {
  readonly subject: Subject
  /** The first of the path. */
  readonly issuer: Signer
  readonly path: readonly Signer[]
  readonly delegates: readonly Signer[]
  readonly clock: Clock
}

/** @throws CrlError ERR_CRL_CERTIFICATE_INVALID, ERR_CRL_ISSUER_MISMATCH; TypeError for misuse */
export function readQuestion(
  certificate: CertificateInput,
  issuer: CertificateInput,
  options: QuestionOptions,
): Question {
  const clock = readClock(options)
  const subject = readSubject(readSigner(certificate, 'certificate'))
  const issuedBy = readSigner(issuer, 'issuer')
  if (issuedBy.subjectKey !== subject.issuerKey)
    throw new CrlError('ERR_CRL_ISSUER_MISMATCH', 'the certificate names another issuer than the one given')
  return {
    subject,
    issuer: issuedBy,
    // A whole path may be given: what is not above the certificate is not asked to vouch for it.
    path: [issuedBy, ...readSigners(options.chain, 'chain').filter((member) => isAbove(member, subject, issuedBy))],
    delegates: readSigners(options.crlIssuers, 'crlIssuers'),
    clock,
  }
}

function isAbove({ view, isCa }: Signer, subject: Subject, issuer: Signer): boolean {
  return isCa && !sameBytes(view.der, subject.view.der) && !sameBytes(view.der, issuer.view.der)
}

/** The answer of these lists. `errors` are those met on the way to them. */
export function ask(question: Question, crls: readonly Crl[], errors: readonly CrlError[]): CrlStatus {
  return judge(question.subject, crls, signersFor(question, crls, []), errors)
}

/** The signers that a question admits; `pending` are the delegates whose own status is being looked for. */
export function signersFor(question: Question, crls: readonly Crl[], pending: readonly Signer[]): Signers {
  const { path, delegates, clock } = question
  const isGood = (delegate: Signer, issuer: Signer): boolean => {
    // A list that its own signer's status rests on is taken as it is: RFC 5280 does not forbid the circle.
    if (pending.includes(delegate)) return true
    const above = { ...question, path: [issuer, ...path.filter((member) => member !== issuer)] }
    const signers = signersFor(above, crls, [...pending, delegate])
    return judge(readSubject(delegate), crls, signers, []).status === 'good'
  }
  return { path, delegates, clock, isGood }
}

/** Turns what makes a question unanswerable into 'unknown'; misuse stays an exception. */
export function answer(run: () => CrlStatus): CrlStatus {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof CrlError)) throw error
    return { status: 'unknown', code: error.code, errors: [error] }
  }
}

/** A list that cannot be read must not hide the others. */
function collectLists(input: CrlListInput, errors: CrlError[]): Crl[] {
  const crls: Crl[] = []
  for (const one of Array.isArray(input) ? input : [input])
    try {
      crls.push(...parseCrls(one))
    } catch (error) {
      if (!(error instanceof CrlError)) throw error
      errors.push(error)
    }
  return crls
}

function readSigners(input: CertificateListInput | undefined, option: string): Signer[] {
  if (input === undefined) return []
  const ders = reading('ERR_CRL_CERTIFICATE_INVALID', `the "${option}" cannot be read`, () =>
    toCertificateDers(input, option),
  )
  return ders.map((der) => readSigner(der, option))
}
