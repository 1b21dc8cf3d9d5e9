import { DerCursor, element, openDer, readString, Tag } from '@x/der'
import { readRdn, sameBytes } from '@x/der/x509'
import { attempt } from './attempt.ts'

/**
 * Whether two Names (DER with header) are the same for the chaining of certificates (RFC 5280 section 7.1, as OpenSSL
 * understands it): strings of any type are compared with ASCII case ignored, outer white space cut and inner white space
 * collapsed; other values octet by octet. A malformed Name equals only itself.
 */
export function sameName(a: Uint8Array, b: Uint8Array): boolean {
  return sameBytes(a, b) || attempt(() => matchRdns(a, b, 'whole')) === true
}

/** Whether `name` lies within the subtree of `base`: its first RelativeDistinguishedNames are those of `base`. A DerError where one is malformed. */
export function isNameWithin(name: Uint8Array, base: Uint8Array): boolean {
  return matchRdns(name, base, 'start')
}

/** Whether a Name has no attribute. */
export function isEmptyName(name: Uint8Array): boolean {
  return name.length === 2 && name[1] === 0
}

function matchRdns(name: Uint8Array, base: Uint8Array, extent: 'whole' | 'start'): boolean {
  const left = openDer(name)
  const right = openDer(base)
  while (!right.done) {
    if (left.done) return false
    left.expect(Tag.SET)
    right.expect(Tag.SET)
    if (!sameBytes(left.element(), right.element()) && canonicalRdn(left.enter()) !== canonicalRdn(right.enter()))
      return false
  }
  return extent === 'start' || left.done
}

/** Sorted, because DER's order of the attributes depends on what is ignored here. */
function canonicalRdn(set: DerCursor): string {
  return JSON.stringify(
    readRdn(set, 0)
      .map(({ oid, tag, value }) => `${oid}=${canonicalValue(tag, value)}`)
      .sort(),
  )
}

const STRINGS: ReadonlySet<number> = new Set([
  Tag.UTF8_STRING,
  Tag.PRINTABLE_STRING,
  Tag.IA5_STRING,
  Tag.VISIBLE_STRING,
  Tag.TELETEX_STRING,
  Tag.BMP_STRING,
  Tag.UNIVERSAL_STRING,
])

function canonicalValue(tag: number, value: Uint8Array): string {
  const text = STRINGS.has(tag) ? textOf(tag, value) : undefined
  if (text === undefined) return `#${tag}:${Buffer.from(value).toString('hex')}`
  const spaced = text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '').replace(/[\t-\r ]+/g, ' ')
  return `"${spaced.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())}`
}

/** The text of an attribute's value, or undefined where it is no string or a malformed one. */
export function textOf(tag: number, value: Uint8Array): string | undefined {
  return attempt(() => readString(new DerCursor(element(tag, value)).expect(tag)))
}
