import { DerCursor, element, readString } from '@x/der'
import { canonicalName, sameBytes } from '@x/der/x509'
import { attempt } from './attempt.ts'

/**
 * Whether two Names (DER with header) are the same for the chaining of certificates (RFC 5280 section 7.1, as OpenSSL
 * understands it): strings of any type are compared with ASCII case ignored, outer white space cut and inner white space
 * collapsed; other values octet by octet. A malformed Name equals only itself.
 */
export function sameName(a: Uint8Array, b: Uint8Array): boolean {
  return sameBytes(a, b) || attempt(() => sameBytes(canonicalName(a), canonicalName(b))) === true
}

/** Whether `name` lies within the subtree of `base`: its first RelativeDistinguishedNames are those of `base`. A DerError where one is malformed. */
export function isNameWithin(name: Uint8Array, base: Uint8Array): boolean {
  const start = canonicalName(base)
  return sameBytes(canonicalName(name).subarray(0, start.length), start)
}

/** Whether a Name has no attribute. */
export function isEmptyName(name: Uint8Array): boolean {
  return name.length === 2 && name[1] === 0
}

/** The text of an attribute's value, or undefined where it is no string or a malformed one. */
export function textOf(tag: number, value: Uint8Array): string | undefined {
  return attempt(() => readString(new DerCursor(element(tag, value)).expect(tag)))
}
