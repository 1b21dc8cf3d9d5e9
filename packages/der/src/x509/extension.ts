import type { DerCursor } from '../cursor.ts'
import { Tag } from '../tags.ts'
import { decodeOid, readBoolean } from '../values.ts'
import { encodeOid } from '../writer.ts'

/** One extension (RFC 5280 section 4.2): `value` is the content of its OCTET STRING, a view. */
export interface ExtensionView {
  readonly oid: string
  readonly critical: boolean
  readonly value: Uint8Array
}

/**
 * The elements of an Extensions SEQUENCE's content, optionally only those of one type (content octets of the OID).
 * An explicit `critical` FALSE, which DER would leave out, is accepted as certificates in use have it. Not checked:
 * whether a type comes twice (RFC 5280 section 4.2 forbids it); the content of `value`.
 * @throws DerError at the extension that is malformed, after those before it were yielded.
 */
export function* readExtensions(cursor: DerCursor, only?: Uint8Array): Generator<ExtensionView, void, undefined> {
  while (!cursor.done) {
    const extension = nextExtension(cursor, only)
    if (extension !== undefined) yield extension
  }
}

/** The first extension of this type at or behind the cursor; those before it are checked for their outer form only. */
export function findExtension(cursor: DerCursor, oid: string | Uint8Array): ExtensionView | undefined {
  const id = typeof oid === 'string' ? encodeOid(oid) : oid
  while (!cursor.done) {
    const extension = nextExtension(cursor, id)
    if (extension !== undefined) return extension
  }
  return undefined
}

function nextExtension(cursor: DerCursor, only: Uint8Array | undefined): ExtensionView | undefined {
  const fields = cursor.enterExpected(Tag.SEQUENCE)
  fields.expect(Tag.OID)
  if (only !== undefined && !holds(fields, only)) return undefined
  const oid = decodeOid(fields.content(), fields.start)
  const critical = fields.optional(Tag.BOOLEAN) && readBoolean(fields)
  const value = fields.expect(Tag.OCTET_STRING).content()
  fields.finish()
  return { oid, critical, value }
}

/** Whether the current element's content is exactly these octets, without making a view of it. */
function holds(cursor: DerCursor, octets: Uint8Array): boolean {
  const { bytes, contentStart, contentEnd } = cursor
  if (contentEnd - contentStart !== octets.length) return false
  for (let i = octets.length - 1; i >= 0; i--) if (bytes[contentStart + i] !== octets[i]) return false
  return true
}

/** True where both hold the same octets. Not for secrets: it stops at the first difference. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
