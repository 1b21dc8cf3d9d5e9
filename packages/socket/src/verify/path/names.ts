import { DerCursor, DerError, element, openDer, readString, Tag } from '@x/der'
import { readRdn, sameBytes } from '@x/der/x509'

/**
 * Whether two Names (DER with header) are the same for the chaining of certificates (RFC 5280 section 7.1, as OpenSSL
 * understands it): strings of any type are compared with ASCII case ignored, outer white space cut and inner white space
 * collapsed; other values octet by octet. A malformed Name equals only itself.
 */
export function sameName(a: Uint8Array, b: Uint8Array): boolean {
  return sameBytes(a, b) || matchRdns(a, b, 'whole')
}

/** Whether `name` lies within the subtree of `base`: its first RelativeDistinguishedNames are those of `base`. */
export function isNameWithin(name: Uint8Array, base: Uint8Array): boolean {
  return matchRdns(name, base, 'start')
}

/** Whether a Name has no attribute. */
export function isEmptyName(name: Uint8Array): boolean {
  return name.length === 2 && name[1] === 0
}

function matchRdns(name: Uint8Array, base: Uint8Array, extent: 'whole' | 'start'): boolean {
  try {
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
  } catch (error) {
    if (error instanceof DerError) return false
    throw error
  }
}

/** The attributes' order is DER's, which depends on what is ignored here: it is not kept. */
function canonicalRdn(set: DerCursor): string {
  return readRdn(set, 0)
    .map(({ oid, tag, value }) => `${oid}=${canonicalValue(tag, value)}`)
    .sort()
    .join('\0')
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
  return text
    .replace(/^[\t-\r ]+|[\t-\r ]+$/g, '')
    .replace(/[\t-\r ]+/g, ' ')
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** The text of an attribute's value, or undefined where it is no string or a malformed one. */
export function textOf(tag: number, value: Uint8Array): string | undefined {
  try {
    return readString(new DerCursor(element(tag, value)).expect(tag))
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}
