/** From and to, in milliseconds since 1970, both included. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

/** What a clone's validity is decided by. */
export interface ValidityPolicy {
  readonly now: number
  readonly maxValidityDays: number | undefined
  readonly mirrorInvalidity: boolean
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/**
 * The origin's validity, cut where `maxValidityDays` asks for it. What is valid stays valid, from a day ago at the earliest; what
 * has expired ends when it did; what is not yet valid begins when it will. Without `mirrorInvalidity` the latter two are valid now.
 */
export function cloneValidity(origin: Validity, { now, maxValidityDays, mirrorInvalidity }: ValidityPolicy): Validity {
  const longest = maxValidityDays === undefined ? Number.POSITIVE_INFINITY : maxValidityDays * DAY
  const { notBefore, notAfter } = origin
  const isValid = notBefore <= now && now <= notAfter
  if (!isValid && !mirrorInvalidity) return upTo(now - Math.min(HOUR, longest / 2), Math.min(longest, 30 * DAY))
  // Both ends count (RFC 5280 section 4.1.2.5), so a validity of a whole number of days ends a second early.
  if (notAfter - notBefore < longest) return origin
  if (notAfter < now) return { notBefore: wholeSecond(notAfter - longest + 1000), notAfter }
  if (notBefore > now) return upTo(notBefore, longest)
  const { notAfter: end, notBefore: start } = upTo(Math.max(notBefore, now - Math.min(DAY, longest / 2)), longest)
  return { notBefore: start, notAfter: Math.min(end, notAfter) }
}

/** When a clone must be made anew: where it ends before the origin does, with a tenth of its time left. */
export function renewalOf(clone: Validity, origin: Validity, mirrorInvalidity: boolean): number {
  if (clone.notAfter === origin.notAfter) return mirrorInvalidity ? Number.POSITIVE_INFINITY : origin.notAfter
  return clone.notAfter - (clone.notAfter - clone.notBefore) / 10
}

function upTo(from: number, length: number): Validity {
  const notBefore = wholeSecond(from)
  return { notBefore, notAfter: wholeSecond(notBefore + length - 1000) }
}

function wholeSecond(at: number): number {
  return Math.floor(at / 1000) * 1000
}
