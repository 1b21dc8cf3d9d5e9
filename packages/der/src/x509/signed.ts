import { type DerCursor, openDer } from '../cursor.ts'
import { Tag } from '../tags.ts'
import { readOctetAlignedBits } from '../values.ts'

/** What certificates and CRLs are alike in (RFC 5280 sections 4.1.1 and 5.1.1). */
interface Signed {
  /** Over the content of the signed part. */
  readonly fields: DerCursor
  /** The signed part with its header. */
  readonly tbs: Uint8Array
  /** AlgorithmIdentifier, with its header. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
}

/** Opens bytes that must be one such structure and nothing else. */
export function openSigned(der: Uint8Array): Signed {
  const outer = openDer(der)
  const fields = outer.enterExpected(Tag.SEQUENCE)
  const tbs = outer.element()
  const signatureAlgorithm = outer.expect(Tag.SEQUENCE).element()
  const signature = readOctetAlignedBits(outer.expect(Tag.BIT_STRING))
  outer.finish()
  return { fields, tbs, signatureAlgorithm, signature }
}

/** The last field of the signed part, which holds the extensions where it is there: a cursor at the list, which is not read. */
export function openExtensions(fields: DerCursor, tag: number): DerCursor | undefined {
  const wrapper = fields.optional(tag) ? fields.enter().expect(Tag.SEQUENCE) : undefined
  wrapper?.finish()
  fields.finish()
  return wrapper
}
