import {
  bitString,
  boolean,
  contextTag,
  element,
  enumerated,
  generalizedTime,
  integer,
  octetString,
  oid,
  sequence,
  Tag,
  time,
} from '@x/der'
import { ExtensionId } from '@x/der/x509'
import { parsePrivateKey, type PrivateKeyInput, type CertificateInput, signatureAlgorithm, signDer } from '@x/utils'
import { Crl } from './crl.ts'
import { reading } from './errors.ts'
import { refuseInherited, refuseUnknown, toMilliseconds, wrongType, wrongValue } from './misuse.ts'
import { codeOfReason, type RevocationReason } from './reasons.ts'
import { type CrlScope, encodeScope } from './create-scope.ts'
import { readSigner } from './verify-crl.ts'

/** One certificate that a list revokes. */
export interface RevokedOptions {
  /** The certificate, or beside `serial` nothing. */
  readonly certificate?: CertificateInput
  /** Its serial number instead: a string is hex, octets are those of a positive number. */
  readonly serial?: bigint | number | string | Uint8Array
  /** When it was revoked. Default: the list's thisUpdate. */
  readonly date?: Date | number
  /** Default: none is written. `'removeFromCrl'` is for deltas. */
  readonly reason?: RevocationReason
  readonly invalidityDate?: Date | number
  /** In an indirect list: the certificate of the CA whose certificate it is, for this entry and those behind it. */
  readonly certificateIssuer?: CertificateInput
  /** Further extensions of the entry. */
  readonly extensions?: readonly CrlExtensionOptions[]
}

/** An extension as it is: `raw` is the DER inside its OCTET STRING. */
export interface CrlExtensionOptions {
  readonly oid: string
  readonly critical?: boolean
  readonly raw: Uint8Array
}

/** Options of {@link createCrl}. */
export interface CrlOptions {
  /** Who signs. */
  readonly issuer: { readonly certificate: CertificateInput; readonly privateKey: PrivateKeyInput }
  /** Default: nobody. Read once, so that a generator may make a million. */
  readonly revoked?: Iterable<RevokedOptions>
  /** Default: now. */
  readonly thisUpdate?: Date | number
  /** Default: seven days after thisUpdate. `null` leaves it out, which makes the list useless to us. */
  readonly nextUpdate?: Date | number | null
  /** The list's number, which must grow. Default: none is written. */
  readonly number?: bigint | number
  /** Makes it a delta to the complete list of this number. */
  readonly baseNumber?: bigint | number
  /** What the list is limited to. Default: everything that the issuer issued. */
  readonly scope?: CrlScope
  /** Further extensions of the list. */
  readonly extensions?: readonly CrlExtensionOptions[]
  /** Digest of the signature. Default: sha256; for P-384 sha384, for P-521 sha512; none for EdDSA. */
  readonly digest?: string
}

const LIST_OPTIONS: ReadonlySet<string> = new Set(
  Object.keys({
    issuer: 1,
    revoked: 1,
    thisUpdate: 1,
    nextUpdate: 1,
    number: 1,
    baseNumber: 1,
    scope: 1,
    extensions: 1,
    digest: 1,
  } satisfies { [K in keyof Required<CrlOptions>]: 1 }),
)
const ENTRY_OPTIONS: ReadonlySet<string> = new Set(
  Object.keys({
    certificate: 1,
    serial: 1,
    date: 1,
    reason: 1,
    invalidityDate: 1,
    certificateIssuer: 1,
    extensions: 1,
  } satisfies { [K in keyof Required<RevokedOptions>]: 1 }),
)
const WEEK = 7 * 86_400_000
const VERSION_2 = integer(1)

/**
 * Makes a revocation list (version 2) and signs it, synchronously: for one's own CA, and for tests.
 * The authority key identifier is written where the issuer has a subject key identifier.
 *
 * Not checked: whether the issuer may sign lists; whether the key is that of its certificate.
 *
 * @throws TypeError for options that are unknown or of the wrong type; CrlError ERR_CRL_CERTIFICATE_INVALID
 */
export function createCrl(options: CrlOptions): Crl {
  refuseUnknown(options, LIST_OPTIONS)
  if (typeof options.issuer !== 'object' || options.issuer === null)
    throw wrongType('issuer', 'an object', options.issuer)
  refuseInherited(options.issuer, 'issuer.')
  const issuer = readSigner(options.issuer.certificate, 'issuer.certificate')
  const privateKey = reading('ERR_CRL_CERTIFICATE_INVALID', "the issuer's key cannot be read", () =>
    parsePrivateKey(options.issuer.privateKey),
  )
  const thisUpdate = toMilliseconds(options.thisUpdate ?? Date.now(), 'thisUpdate')
  const { nextUpdate = thisUpdate + WEEK } = options
  const entries = encodeEntries(options.revoked ?? [], thisUpdate)
  const extensions = listExtensions(options, issuer.keyIdentifier)
  const algorithm = signatureAlgorithm(privateKey, options.digest)
  const tbs = sequence(
    VERSION_2,
    algorithm,
    issuer.view.subject,
    time(thisUpdate),
    ...(nextUpdate === null ? [] : [time(toMilliseconds(nextUpdate, 'nextUpdate'))]),
    ...(entries.length === 0 ? [] : [sequence(entries)]),
    ...(extensions.length === 0 ? [] : [element(contextTag(0, true), sequence(...extensions))]),
  )
  const signed = signDer(tbs, privateKey, options.digest)
  return new Crl(sequence(tbs, signed.algorithm, bitString(signed.signature)))
}

function listExtensions(options: CrlOptions, keyIdentifier: Uint8Array | undefined): Uint8Array[] {
  const extensions: Uint8Array[] = []
  if (keyIdentifier !== undefined)
    extensions.push(
      extension(ExtensionId.AUTHORITY_KEY_IDENTIFIER, false, sequence(element(contextTag(0), keyIdentifier))),
    )
  if (options.number !== undefined) extensions.push(extension(ExtensionId.CRL_NUMBER, false, integer(options.number)))
  if (options.baseNumber !== undefined)
    extensions.push(extension(ExtensionId.DELTA_CRL_INDICATOR, true, integer(options.baseNumber)))
  if (options.scope !== undefined)
    extensions.push(extension(ExtensionId.ISSUING_DISTRIBUTION_POINT, true, encodeScope(options.scope)))
  return [...extensions, ...(options.extensions ?? []).map(rawExtension)]
}

/** The entries behind one another, in a buffer that grows: spreading a million arguments would exhaust the stack. */
function encodeEntries(revoked: Iterable<RevokedOptions>, thisUpdate: number): Uint8Array {
  let buffer = new Uint8Array(4096)
  let length = 0
  for (const one of revoked) {
    const entry = encodeEntry(one, thisUpdate)
    if (length + entry.length > buffer.length) {
      const larger = new Uint8Array((length + entry.length) * 2)
      larger.set(buffer)
      buffer = larger
    }
    buffer.set(entry, length)
    length += entry.length
  }
  return buffer.subarray(0, length)
}

function encodeEntry(options: RevokedOptions, thisUpdate: number): Uint8Array {
  refuseUnknown(options, ENTRY_OPTIONS, 'revoked.')
  const { date = thisUpdate, reason, invalidityDate, certificateIssuer } = options
  const extensions: Uint8Array[] = []
  if (reason !== undefined) {
    const code = codeOfReason(reason)
    if (code === undefined) throw wrongValue('revoked.reason', `is '${reason}', which is none`)
    extensions.push(extension(ExtensionId.CRL_REASON, false, enumerated(code)))
  }
  if (invalidityDate !== undefined)
    extensions.push(
      extension(
        ExtensionId.INVALIDITY_DATE,
        false,
        generalizedTime(toMilliseconds(invalidityDate, 'revoked.invalidityDate')),
      ),
    )
  if (certificateIssuer !== undefined) {
    const { subject } = readSigner(certificateIssuer, 'revoked.certificateIssuer').view
    extensions.push(extension(ExtensionId.CERTIFICATE_ISSUER, true, sequence(element(contextTag(4, true), subject))))
  }
  extensions.push(...(options.extensions ?? []).map(rawExtension))
  const serial = serialOf(options)
  const at = time(toMilliseconds(date, 'revoked.date'))
  return extensions.length === 0 ? sequence(serial, at) : sequence(serial, at, sequence(...extensions))
}

function serialOf({ certificate, serial }: RevokedOptions): Uint8Array {
  if ((certificate === undefined) === (serial === undefined))
    throw wrongValue('revoked', 'must have either a "certificate" or a "serial"')
  if (certificate !== undefined)
    return element(Tag.INTEGER, readSigner(certificate, 'revoked.certificate').view.serialNumber)
  if (typeof serial === 'number' && !Number.isSafeInteger(serial))
    throw wrongValue('revoked.serial', 'is not an integer')
  if (typeof serial !== 'string') return integer(serial as bigint | number | Uint8Array)
  if (!/^[0-9a-f]+$/i.test(serial)) throw wrongValue('revoked.serial', 'is not hexadecimal')
  return integer(BigInt(`0x${serial}`))
}

function rawExtension(options: CrlExtensionOptions): Uint8Array {
  refuseInherited(options, 'extensions.')
  const { oid: type, critical = false, raw } = options
  return extension(type, critical, raw)
}

function extension(type: string, critical: boolean, value: Uint8Array): Uint8Array {
  return critical ? sequence(oid(type), boolean(true), octetString(value)) : sequence(oid(type), octetString(value))
}
