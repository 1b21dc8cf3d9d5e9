import { readPem } from '@x/utils'
import { Crl } from './crl.ts'
import { CrlError, reading } from './errors.ts'
import { wrongType } from './misuse.ts'

/** One list: PEM text, PEM or DER bytes, or what `parseCrl` returned. */
export type CrlInput = string | Uint8Array | Crl

/** Lists; each text may be a bundle, of which all count. */
export type CrlListInput = CrlInput | readonly CrlInput[]

/** The largest input that is looked at; the largest lists of public CAs are a tenth of it. */
export const MAX_CRL_BYTES: number = 256 * 1024 * 1024

/**
 * Reads one revocation list, DER or PEM; of a PEM bundle the first. The form of everything in it is checked, in one pass over
 * the entries. Nothing is verified: neither who signed it nor whether it is current (`verifyCrl`, `isRevoked`).
 * DER is not copied: do not write to the bytes afterwards.
 *
 * @throws CrlError ERR_CRL_INVALID, ERR_CRL_NOT_FOUND (no list in a text), ERR_CRL_TOO_LARGE (above 256 MiB)
 */
export function parseCrl(input: CrlInput): Crl {
  return parseCrls(input)[0] as Crl
}

/** Every list of the inputs, all those of a bundle counting. Throws as {@link parseCrl} does; a broken block is an error, not skipped. */
export function parseCrls(input: CrlListInput): Crl[] {
  const list: readonly CrlInput[] = Array.isArray(input) ? input : [input as CrlInput]
  return list.flatMap((one) => (one instanceof Crl ? [one] : fromBytes(isForeign(one) ? one.der : one)))
}

/** A list that another copy of this package read. */
function isForeign(input: CrlInput): input is Crl {
  return typeof input === 'object' && input !== null && 'der' in input && input.der instanceof Uint8Array
}

function fromBytes(input: string | Uint8Array): Crl[] {
  if (typeof input !== 'string' && !(input instanceof Uint8Array))
    throw wrongType('crl', 'a string, a Uint8Array or a list that parseCrl returned', input)
  if (input.length > MAX_CRL_BYTES)
    throw new CrlError('ERR_CRL_TOO_LARGE', `a revocation list of ${input.length} bytes`)
  if (typeof input !== 'string' && input[0] === 0x30) return [new Crl(input)]
  const text =
    typeof input === 'string' ? input : Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1')
  const blocks = reading('ERR_CRL_INVALID', 'not a revocation list', () =>
    readPem(text, (label) => label === 'X509 CRL' || label === 'CRL'),
  )
  if (blocks.length === 0)
    throw new CrlError('ERR_CRL_NOT_FOUND', 'no revocation list in the input: neither DER nor a PEM block')
  return blocks.map(({ der }) => new Crl(der))
}
