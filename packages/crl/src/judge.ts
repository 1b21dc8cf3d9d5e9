import { latin1 } from './canonical-name.ts'
import { type Crl, scopeKey } from './crl.ts'
import type { RevokedEntry } from './entry.ts'
import { CrlError } from './errors.ts'
import { ALL_REASONS } from './reasons.ts'
import { coverage, type Subject } from './scope.ts'
import type { CrlRevoked, CrlStatus } from './status.ts'
import { type Signers, signerOf } from './signers.ts'
import { checkForm, checkTime } from './verify-crl.ts'

/** A list that is authentic, well-formed and about the certificate; current or not. */
interface Usable {
  readonly crl: Crl
  /** Mask of the reasons for which it covers the certificate. */
  readonly reasons: number
  /** The key that signed it. */
  readonly signer: Uint8Array
  /** Why its time does not hold. */
  readonly untimely: CrlError | undefined
}

/** What the lists of one scope say. */
interface Verdict {
  readonly revoked?: CrlRevoked
  readonly goodFor?: number
  readonly until?: number
  readonly crls: readonly Crl[]
}

/** The answer of these lists about one certificate (RFC 5280 section 6.3.3). Never throws for what lists hold. */
export function judge(
  subject: Subject,
  crls: readonly Crl[],
  signers: Signers,
  earlier: readonly CrlError[],
): CrlStatus {
  const errors: CrlError[] = [...earlier]
  const groups = new Map<string, Usable[]>()
  for (const crl of new Set(crls)) {
    const usable = attempt(errors, () => admit(crl, subject, signers))
    if (usable === undefined) continue
    // Some CAs keep a list for each of their keys: one does not stand for the other.
    const key = `${crl.issuerKey} ${latin1(usable.signer)} ${scopeKey(crl)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [usable])
    else group.push(usable)
  }
  let goodFor = 0
  let until = Number.POSITIVE_INFINITY
  const used: Crl[] = []
  for (const group of groups.values()) {
    const verdict = attempt(errors, () => judgeScope(group, subject, errors))
    if (verdict?.revoked !== undefined) return verdict.revoked
    if (verdict?.goodFor === undefined) continue
    goodFor |= verdict.goodFor
    until = Math.min(until, verdict.until ?? Number.NEGATIVE_INFINITY)
    used.push(...verdict.crls)
  }
  if (goodFor === ALL_REASONS) {
    const thisUpdate = new Date(Math.min(...used.map((crl) => crl.thisUpdate.getTime())))
    return { status: 'good', thisUpdate, nextUpdate: new Date(until), crls: used }
  }
  if (goodFor !== 0)
    errors.unshift(
      new CrlError('ERR_CRL_REASONS_INCOMPLETE', 'the lists at hand do not cover every reason for revocation'),
    )
  if (errors.length === 0)
    errors.push(new CrlError('ERR_CRL_MISSING', 'no revocation list of the issuer of the certificate is at hand'))
  const first = telling(errors)
  return { status: 'unknown', code: first.code, errors: [first, ...errors.filter((error) => error !== first)] }
}

/** Undefined for lists of other issuers; an error for those that cannot be used. */
function admit(crl: Crl, subject: Subject, signers: Signers): Usable | undefined {
  const reasons = coverage(crl, subject)
  if (reasons === undefined) return undefined
  if (reasons === 0) throw new CrlError('ERR_CRL_OUT_OF_SCOPE', "the list's scope does not include the certificate")
  checkForm(crl)
  const signer = signerOf(crl, signers).view.spki
  let untimely: CrlError | undefined
  try {
    checkTime(crl, signers.clock)
  } catch (error) {
    if (!(error instanceof CrlError)) throw error
    untimely = error
    if (error.code === 'ERR_CRL_NOT_YET_VALID') throw error
  }
  return { crl, reasons, signer, untimely }
}

/**
 * Lists of one issuer, one key and one scope: the newest complete list decides, with the newest delta that fits it. A revocation that is no hold
 * cannot be undone, so that it counts in an older list too, and among lists of the same second.
 */
function judgeScope(group: readonly Usable[], subject: Subject, errors: CrlError[]): Verdict {
  const bases = group.filter(({ crl }) => crl.baseCrlNumber === undefined).sort(newestFirst)
  const deltas = group.filter(({ crl }) => crl.baseCrlNumber !== undefined).sort(newestFirst)
  const base = bases.find(({ untimely }) => untimely === undefined) ?? bases[0]
  const delta = deltas.find((one) => one.untimely === undefined && base !== undefined && fits(one, base))
  const inBase = base && find(base, subject)
  const inDelta = delta && find(delta, subject)
  const released = inDelta?.reason === 'removeFromCrl' && (inBase === undefined || inBase.reason === 'certificateHold')
  const crls = [base, delta].flatMap((one) => (one === undefined ? [] : [one.crl]))
  if (delta !== undefined && inDelta !== undefined && inDelta.reason !== 'removeFromCrl')
    return { revoked: revocation(delta.crl, inDelta), crls }
  // A list out of date still tells of what cannot be undone.
  const stands =
    base !== undefined && (base.untimely === undefined || delta !== undefined || inBase?.reason !== 'certificateHold')
  if (base !== undefined && inBase !== undefined && !released && stands)
    return { revoked: revocation(base.crl, inBase), crls }
  for (const one of bases) {
    const entry = one === base ? undefined : find(one, subject)
    if (base === undefined || entry === undefined) continue
    const held = entry.reason === 'certificateHold' && !released && !isNewer(base.crl, one.crl)
    if (held || entry.reason !== 'certificateHold') return { revoked: revocation(one.crl, entry), crls: [one.crl] }
  }
  for (const one of deltas) {
    const entry = one === delta ? undefined : find(one, subject)
    if (entry !== undefined && entry.reason !== 'certificateHold' && entry.reason !== 'removeFromCrl')
      return { revoked: revocation(one.crl, entry), crls: [one.crl] }
  }
  for (const one of deltas) {
    if (one === delta) break
    if (base !== undefined && !isNewer(one.crl, base.crl)) continue
    const entry = find(one, subject)
    if (one.untimely === undefined && entry !== undefined && entry.reason !== 'removeFromCrl')
      return { revoked: revocation(one.crl, entry), crls }
    errors.push(
      one.untimely ?? new CrlError('ERR_CRL_DELTA_MISMATCH', 'a delta list that continues no complete list at hand'),
    )
  }
  if (base === undefined) return { crls }
  const current = delta ?? (base.untimely === undefined ? base : undefined)
  if (current === undefined) throw base.untimely as CrlError
  const until = (current.crl.nextUpdate as Date).getTime()
  return { goodFor: base.reasons & (delta?.reasons ?? base.reasons), until, crls }
}

function find({ crl }: Usable, { view }: Subject): RevokedEntry | undefined {
  return crl.find(view.serialNumber, view.issuer)
}

function revocation(crl: Crl, entry: RevokedEntry): CrlRevoked {
  const { revocationDate: date, reason, invalidityDate } = entry
  return { status: 'revoked', date, reason, invalidityDate, thisUpdate: crl.thisUpdate, crl }
}

/** RFC 5280 section 5.2.4: the base is no older than what the delta builds on, and older than the delta. */
function fits(delta: Usable, base: Usable): boolean {
  const number = base.crl.crlNumber
  if (number === undefined || delta.crl.crlNumber === undefined || delta.crl.baseCrlNumber === undefined) return false
  return delta.crl.baseCrlNumber <= number && number < delta.crl.crlNumber
}

function isNewer(crl: Crl, than: Crl): boolean {
  if (crl.crlNumber === undefined || than.crlNumber === undefined) return crl.thisUpdate > than.thisUpdate
  return crl.crlNumber > than.crlNumber
}

function newestFirst(a: Usable, b: Usable): number {
  const byDate = b.crl.thisUpdate.getTime() - a.crl.thisUpdate.getTime()
  return byDate !== 0 ? byDate : Number((b.crl.crlNumber ?? -1n) - (a.crl.crlNumber ?? -1n))
}

function attempt<T>(errors: CrlError[], run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof CrlError)) throw error
    errors.push(error)
    return undefined
  }
}

/** A list out of scope says least about what is wrong, since partitions of other certificates lie beside the right one. */
function telling(errors: readonly CrlError[]): CrlError {
  return errors.find(({ code }) => code !== 'ERR_CRL_OUT_OF_SCOPE') ?? (errors[0] as CrlError)
}
