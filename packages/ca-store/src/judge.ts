import { CertificateView, sameBytes } from '@x/der/x509'
import type { CaStoreError } from './errors.ts'
import type { Entry, JudgeRules } from './entry.ts'
import type { Source } from './source.ts'

/** Which entries are anchors, and why the others are not. */
export interface Judgement {
  readonly kept: readonly Entry[]
  readonly skipped: readonly CaStoreError[]
}

/**
 * Leaves out what is broken, misplaced, distrusted, no CA, expired or there already. Distrust counts against every copy of a
 * certificate, wherever it stands. All entries of one subject must be judged together.
 */
export function judge(entries: readonly Entry[], rules: JudgeRules): Judgement {
  const distrusted = distrustedKeys(entries, rules)
  const kept: Entry[] = []
  const skipped: CaStoreError[] = []
  const seen = new Map<string, Entry>()
  for (const entry of entries) {
    const fault = entry.fault(rules)
    if (fault !== undefined) {
      skipped.push(fault)
      continue
    }
    const key = derKey(entry)
    const first = seen.get(key)
    if (distrusted.has(key))
      skipped.push(entry.error('ERR_CA_DISTRUSTED', 'distrusted by the trust settings of another copy'))
    else if (first !== undefined) skipped.push(duplicate(entry, first))
    else {
      seen.set(key, entry)
      kept.push(entry)
    }
  }
  return { kept, skipped }
}

/** Whether one entry at least is an anchor; looks at no more of them than it must. */
export function hasAnchor(source: Source, rules: JudgeRules): boolean {
  for (const entries of source.batches()) {
    const distrusted = distrustedKeys(entries, rules)
    const isAnchor = (entry: Entry): boolean =>
      entry.fault(rules) === undefined && (distrusted.size === 0 || !distrusted.has(derKey(entry)))
    if (entries.some(isAnchor)) return true
  }
  return false
}

/**
 * Whether one of the entries distrusts this certificate. What is signed counts, not the signature's own encoding: of an ECDSA signature
 * anybody can make another one that verifies.
 */
export function distrusts(entries: readonly Entry[], der: Uint8Array, { purpose }: JudgeRules): boolean {
  return entries.some(
    (entry) =>
      entry.isDistrusted(purpose) && entry.isWhereItBelongs && sameBytes(signedPart(entry.der), signedPart(der)),
  )
}

/** All of it where it cannot be read. */
function signedPart(der: Uint8Array): Uint8Array {
  try {
    return new CertificateView(der).tbs
  } catch {
    return der
  }
}

function distrustedKeys(entries: readonly Entry[], { purpose }: JudgeRules): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const entry of entries) if (entry.isDistrusted(purpose) && entry.isWhereItBelongs) keys.add(derKey(entry))
  return keys
}

function duplicate(entry: Entry, first: Entry): CaStoreError {
  const { file, by } = first.list
  return entry.error('ERR_CA_DUPLICATE', `the same as ${file ?? by} #${first.index}`)
}

function derKey(entry: Entry): string {
  const { der } = entry
  return Buffer.from(der.buffer, der.byteOffset, der.length).toString('latin1')
}
