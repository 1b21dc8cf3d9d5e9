import { asciiBytes, boolean, contextTag, element, namedBits, sequence } from '@x/der'
import type { CertificateInput } from '@x/utils'
import { refuseUnknown, wrongValue } from './misuse.ts'
import { flagNumber, type RevocationReason } from './reasons.ts'
import { readSigner } from './verify-crl.ts'

/** What a list is limited to: its issuing distribution point (RFC 5280 section 5.2.5). */
export interface CrlScope {
  /** Only certificates that name one of these distribution points: the usual partition. */
  readonly uris?: readonly string[]
  /** The same by directory name: the subject of each of these certificates. */
  readonly directoryNames?: readonly CertificateInput[]
  /** Only certificates of users, of CAs, or attribute certificates. */
  readonly only?: 'users' | 'cas' | 'attributes'
  /** Only revocations for these reasons. `'unspecified'` and `'removeFromCrl'` cannot be told. */
  readonly reasons?: readonly RevocationReason[]
  /** Has certificates of other issuers, too. */
  readonly indirect?: boolean
}

const OPTIONS: ReadonlySet<string> = new Set(
  Object.keys({ uris: 1, directoryNames: 1, only: 1, reasons: 1, indirect: 1 } satisfies {
    [K in keyof Required<CrlScope>]: 1
  }),
)
const ONLY: Readonly<Record<string, number>> = { users: 1, cas: 2, attributes: 5 }

/** DER of an IssuingDistributionPoint. */
export function encodeScope(scope: CrlScope): Uint8Array {
  refuseUnknown(scope, OPTIONS, 'scope.')
  const { uris = [], directoryNames = [], only, reasons, indirect = false } = scope
  const names = [
    ...uris.map((uri) => element(contextTag(6), asciiBytes(uri))),
    ...directoryNames.map((one) => element(contextTag(4, true), readSigner(one, 'scope.directoryNames').view.subject)),
  ]
  const parts: Uint8Array[] = []
  if (names.length > 0) parts.push(element(contextTag(0, true), element(contextTag(0, true), ...names)))
  if (only !== undefined) {
    const number = Object.hasOwn(ONLY, only) ? ONLY[only] : undefined
    if (number === undefined) throw wrongValue('scope.only', "must be 'users', 'cas' or 'attributes'")
    parts.push(flag(number))
  }
  if (reasons !== undefined) parts.push(implicit(3, namedBits(reasons.map(bitOf))))
  if (indirect) parts.push(flag(4))
  // [5] stands behind [3] and [4].
  parts.sort((a, b) => ((a[0] as number) & 0x1f) - ((b[0] as number) & 0x1f))
  return sequence(...parts)
}

function bitOf(reason: RevocationReason): number {
  const bit = flagNumber(reason)
  if (bit === undefined) throw wrongValue('scope.reasons', `cannot tell '${reason}'`)
  return bit
}

function flag(number: number): Uint8Array {
  return implicit(number, boolean(true))
}

/** The element under a context tag in place of its own (X.690 section 8.14.3). */
function implicit(number: number, value: Uint8Array): Uint8Array {
  const out = value.slice()
  out[0] = contextTag(number)
  return out
}
