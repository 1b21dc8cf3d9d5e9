import { type DerCursor, openDer } from '../cursor.ts'
import { Tag } from '../tags.ts'
import { readOid } from '../values.ts'

/** One AttributeTypeAndValue of a Name (RFC 5280 section 4.1.2.4). */
export interface NameAttribute {
  readonly oid: string
  /** Tag of the value, a string type as a rule. */
  readonly tag: number
  /** Content octets of the value: a view. */
  readonly value: Uint8Array
  /** Which RelativeDistinguishedName it stands in, from 0. */
  readonly rdn: number
}

/** The attributes of a Name (given with its header), in order. Not checked: the order within an RDN's SET; the strings. */
export function readName(name: Uint8Array): NameAttribute[] {
  const rdns = openDer(name)
  const attributes: NameAttribute[] = []
  for (let rdn = 0; !rdns.done; rdn++) appendRdn(rdns.enterExpected(Tag.SET), rdn, attributes)
  return attributes
}

/** The attributes of one RelativeDistinguishedName, from a cursor over its content; `rdn` is copied into each. */
export function readRdn(set: DerCursor, rdn: number): NameAttribute[] {
  const attributes: NameAttribute[] = []
  appendRdn(set, rdn, attributes)
  return attributes
}

/** An empty SET is refused by its missing first element (X.501: SIZE (1..MAX)). */
function appendRdn(set: DerCursor, rdn: number, attributes: NameAttribute[]): void {
  do {
    const attribute = set.enterExpected(Tag.SEQUENCE)
    const oid = readOid(attribute.expect(Tag.OID))
    const tag = attribute.next()
    attributes.push({ oid, tag, value: attribute.content(), rdn })
    attribute.finish()
  } while (!set.done)
}
