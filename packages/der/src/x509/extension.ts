import type { DerCursor } from '../cursor.ts'
import { Tag } from '../tags.ts'
import { readBoolean, readOid } from '../values.ts'
import { encodeOid } from '../writer.ts'

/** One extension (RFC 5280 section 4.2). Octets are views. */
export interface ExtensionView {
  readonly oid: string
  readonly critical: boolean
  /** Content of its OCTET STRING. */
  readonly value: Uint8Array
  /** The whole extension with its header, as it stands. */
  readonly element: Uint8Array
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

/** The same as a list: what `extensions()` of the views returns. */
export function listExtensions(cursor: DerCursor): ExtensionView[] {
  const extensions: ExtensionView[] = []
  while (!cursor.done) extensions.push(nextExtension(cursor, undefined) as ExtensionView)
  return extensions
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
  cursor.expect(Tag.SEQUENCE)
  if (only !== undefined && isOtherType(cursor, only)) return undefined
  const fields = cursor.enter()
  const oid = readOid(fields.expect(Tag.OID))
  const critical = fields.optional(Tag.BOOLEAN) && readBoolean(fields)
  const value = fields.expect(Tag.OCTET_STRING).content()
  fields.finish()
  return { oid, critical, value, element: cursor.element() }
}

/**
 * Whether the current extension begins with a whole OID, and that is not `only`. False too where it begins otherwise: the
 * caller then reads it strictly and refuses it. Made without a cursor, since most extensions are passed over here.
 */
function isOtherType({ bytes, contentStart, contentEnd }: DerCursor, only: Uint8Array): boolean {
  const length = bytes[contentStart + 1] as number
  const start = contentStart + 2
  if (bytes[contentStart] !== Tag.OID || length > 0x7f || start + length > contentEnd) return false
  if (length !== only.length) return true
  for (let i = length - 1; i >= 0; i--) if (bytes[start + i] !== only[i]) return true
  return false
}

/** True where both hold the same octets. Not for secrets: it stops at the first difference. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
