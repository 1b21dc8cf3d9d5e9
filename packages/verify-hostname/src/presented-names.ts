import { contextTag, DerCursor, DerError, readString, Tag } from '@x/der'
import { formatAddress } from './match-ip-address.ts'

/** The kinds of GeneralName (RFC 5280 section 4.2.1.6), and the subject's common name. */
export type PresentedNameType =
  | 'other'
  | 'email'
  | 'dns'
  | 'x400'
  | 'directory'
  | 'edi'
  | 'uri'
  | 'ip'
  | 'registered-id'
  | 'common-name'

/** Octets and the same as text, one character each: what many names are slices of. */
interface Source {
  readonly bytes: Uint8Array
  /** The octets from `base` on. */
  readonly text: string
  readonly base: number
}

/** One name in a certificate. Its text is made when asked for. */
export class PresentedName {
  readonly type: PresentedNameType
  readonly #source: Source
  readonly #start: number
  readonly #end: number

  constructor(type: PresentedNameType, source: Source, start: number, end: number) {
    this.type = type
    this.#source = source
    this.#start = start
    this.#end = end
  }

  /**
   * As text: of alternative names one character per octet, of the common name as its string type says; IP addresses in
   * their usual notation, kinds that are no text in hexadecimal.
   */
  get value(): string {
    if (this.type === 'dns') return this.text
    if (this.type === 'ip') return formatAddress(this.raw)
    if (this.type === 'common-name') return decodedString(this.#source.bytes) ?? this.text
    if (this.type === 'email' || this.type === 'uri') return this.text
    return Array.from(this.raw, (octet) => octet.toString(16).padStart(2, '0')).join('')
  }

  /** The content's octets, one character each: what is compared. */
  get text(): string {
    const { text, base } = this.#source
    return text.slice(this.#start - base, this.#end - base)
  }

  /** The content's octets: a view. */
  get raw(): Uint8Array {
    return this.#source.bytes.subarray(this.#start, this.#end)
  }

  toJSON(): { type: PresentedNameType; value: string } {
    return { type: this.type, value: this.value }
  }
}

/** Every GeneralName with the tag it has in DER; any other tag makes the whole extension undecodable. */
const types: readonly (PresentedNameType | undefined)[] = tagTable([
  [contextTag(0, true), 'other'],
  [contextTag(1), 'email'],
  [contextTag(2), 'dns'],
  [contextTag(3, true), 'x400'],
  [contextTag(4, true), 'directory'],
  [contextTag(5, true), 'edi'],
  [contextTag(6), 'uri'],
  [contextTag(7), 'ip'],
  [contextTag(8), 'registered-id'],
])

function tagTable(rows: readonly (readonly [number, PresentedNameType])[]): (PresentedNameType | undefined)[] {
  const table = Array.from<PresentedNameType | undefined>({ length: 256 })
  for (const [tag, type] of rows) table[tag] = type
  return table
}

/** The names of one certificate. `altNames` holds the first subjectAltName only, in order; empty where there is none. */
export interface CertificateNames {
  readonly altNames: readonly PresentedName[]
  /** Where they stand. */
  readonly der: Uint8Array
  /** Offsets of the subject's Name, header and all. */
  readonly subjectStart: number
  readonly subjectEnd: number
}

/**
 * Reads the names out of a certificate's DER: only its outline, and of the extensions the first subjectAltName. The
 * signature, the validity and all else are not looked at. One cursor goes through all levels, since this is done for every
 * connection; `into` sees to it that no element reaches beyond the one around it.
 * @throws DerError where the outline or the subjectAltName cannot be decoded.
 */
export function readCertificateNames(der: Uint8Array): CertificateNames {
  const cursor = new DerCursor(der)
  into(cursor, Tag.SEQUENCE, der.length)
  const end = into(cursor, Tag.SEQUENCE)
  cursor.optional(contextTag(0, true)) // version
  cursor.expect(Tag.INTEGER)
  cursor.expect(Tag.SEQUENCE) // signature algorithm
  cursor.expect(Tag.SEQUENCE) // issuer
  cursor.expect(Tag.SEQUENCE) // validity
  const { start: subjectStart, contentEnd: subjectEnd } = cursor.expect(Tag.SEQUENCE)
  cursor.expect(Tag.SEQUENCE) // public key
  if (cursor.position < end) cursor.optional(contextTag(1)) // issuerUniqueID
  if (cursor.position < end) cursor.optional(contextTag(2)) // subjectUniqueID
  const hasExtensions = cursor.position < end
  if (!hasExtensions && cursor.position !== end) throw misplaced(cursor)
  const altNames = hasExtensions ? readAltNames(cursor, into(cursor, contextTag(3, true), end)) : []
  return { altNames, der, subjectStart, subjectEnd }
}

/** Steps into the next element, whose content must end at `end` where that is given. Returns the content's end. */
function into(cursor: DerCursor, tag: number, end?: number): number {
  const { contentStart, contentEnd } = cursor.expect(tag)
  if (end !== undefined && contentEnd !== end) throw misplaced(cursor)
  cursor.position = contentStart
  return contentEnd
}

function misplaced(cursor: DerCursor): DerError {
  return new DerError('ERR_DER_TRAILING_DATA', 'an element does not end where the one around it does', cursor.start)
}

/** Extensions behind the one that counts are not looked at. */
function readAltNames(cursor: DerCursor, wrapperEnd: number): PresentedName[] {
  const { bytes } = cursor
  into(cursor, Tag.SEQUENCE, wrapperEnd)
  while (cursor.position < wrapperEnd) {
    const { contentStart: p, contentEnd: end } = cursor.expect(Tag.SEQUENCE)
    if (end > wrapperEnd) throw misplaced(cursor)
    // id-ce-subjectAltName is 2.5.29.17
    if (
      bytes[p + 4] !== 0x11 ||
      bytes[p] !== Tag.OID ||
      bytes[p + 1] !== 3 ||
      bytes[p + 2] !== 0x55 ||
      bytes[p + 3] !== 0x1d
    ) {
      // An OID in another form than DER's could be that of the names: who reads BER would find them.
      if (bytes[p] !== Tag.OID || (bytes[p + 1] as number) > 0x7f)
        throw new DerError('ERR_DER_UNEXPECTED_TAG', 'not an extension', p)
      continue
    }
    cursor.position = p
    cursor.expect(Tag.OID)
    cursor.optional(Tag.BOOLEAN)
    into(cursor, Tag.OCTET_STRING, end)
    into(cursor, Tag.SEQUENCE, end)
    return readGeneralNames(cursor, end)
  }
  return []
}

function readGeneralNames(cursor: DerCursor, end: number): PresentedName[] {
  // One conversion for all names.
  const source = sourceOf(cursor.bytes, cursor.position, end)
  const names: PresentedName[] = []
  while (cursor.position < end) {
    const type = types[cursor.next()]
    if (type === undefined) throw new DerError('ERR_DER_UNEXPECTED_TAG', 'not a GeneralName', cursor.start)
    names.push(new PresentedName(type, source, cursor.contentStart, cursor.contentEnd))
  }
  if (cursor.position !== end) throw misplaced(cursor)
  return names
}

function sourceOf(bytes: Uint8Array, start: number, end: number): Source {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { bytes, text: buffer.toString('latin1', start, end), base: start }
}

/**
 * The first common name of a subject (the original's choice too), or undefined. Its `text` is its octets, whatever the
 * string type: a BMPString or UniversalString therefore never matches, as with the original.
 * @throws DerError where the Name cannot be decoded.
 */
export function readCommonName({ der, subjectStart, subjectEnd }: CertificateNames): PresentedName | undefined {
  const rdns = new DerCursor(der, subjectStart, subjectEnd).enterExpected(Tag.SEQUENCE)
  while (!rdns.done) {
    const set = rdns.enterExpected(Tag.SET)
    do {
      const attribute = set.enterExpected(Tag.SEQUENCE)
      const id = attribute.expect(Tag.OID).content()
      attribute.next()
      // id-at-commonName is 2.5.4.3
      if (id.length !== 3 || id[0] !== 0x55 || id[1] !== 0x04 || id[2] !== 0x03) continue
      const element = attribute.element()
      const header = attribute.contentStart - attribute.start
      return new PresentedName('common-name', sourceOf(element, 0, element.length), header, element.length)
    } while (!set.done)
  }
  return undefined
}

/** Text of one string element; undefined where it is malformed or no string. */
function decodedString(element: Uint8Array): string | undefined {
  try {
    return readString(new DerCursor(element).expect(element[0] as number))
  } catch {
    return undefined // then shown octet by octet; such a name matches nothing, so no verdict depends on it
  }
}
