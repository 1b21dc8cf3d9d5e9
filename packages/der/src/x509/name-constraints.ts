import { type DerCursor, openDer } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { contextTag, Tag } from '../tags.ts'
import { readSmallInteger } from '../values.ts'
import { type GeneralNameView, readGeneralName } from './general-name.ts'

/** RFC 5280 section 4.2.1.10. Both lists are empty where absent; `IP` values are address and mask, 8 or 32 octets. */
export interface NameConstraints {
  readonly permitted: readonly GeneralNameView[]
  readonly excluded: readonly GeneralNameView[]
}

/**
 * The value of a nameConstraints extension.
 * @throws DerError `ERR_DER_INVALID_VALUE` for a `minimum` other than 0 or any `maximum`, which RFC 5280 forbids: to pass over
 *   them would change what is constrained.
 */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const fields = openDer(value)
  const permitted = fields.optional(contextTag(0, true)) ? readSubtrees(fields.enter()) : []
  const excluded = fields.optional(contextTag(1, true)) ? readSubtrees(fields.enter()) : []
  fields.finish()
  return { permitted, excluded }
}

function readSubtrees(list: DerCursor): GeneralNameView[] {
  const bases: GeneralNameView[] = []
  while (!list.done) {
    const subtree = list.enterExpected(Tag.SEQUENCE)
    bases.push(readGeneralName(subtree))
    if (subtree.optional(contextTag(0)) && readSmallInteger(subtree) !== 0)
      throw new DerError('ERR_DER_INVALID_VALUE', 'name constraint with a minimum', subtree.start)
    if (subtree.peekTag() === contextTag(1))
      throw new DerError('ERR_DER_INVALID_VALUE', 'name constraint with a maximum', subtree.position)
    subtree.finish()
  }
  return bases
}
