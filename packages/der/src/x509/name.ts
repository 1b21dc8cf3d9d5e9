import { DerCursor } from '../cursor.ts'
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

/** The attributes of a Name (given with its header), in order. */
export function readName(name: Uint8Array): NameAttribute[] {
  const outer = new DerCursor(name)
  const rdns = outer.enterExpected(Tag.SEQUENCE)
  outer.finish()
  const attributes: NameAttribute[] = []
  for (let rdn = 0; !rdns.done; rdn++) {
    const set = rdns.enterExpected(Tag.SET)
    do {
      const attribute = set.enterExpected(Tag.SEQUENCE)
      const oid = readOid(attribute.expect(Tag.OID))
      const tag = attribute.next()
      attributes.push({ oid, tag, value: attribute.content(), rdn })
      attribute.finish()
    } while (!set.done)
  }
  return attributes
}
