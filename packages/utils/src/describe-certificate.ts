import { hash } from 'node:crypto'
import { DerError, openDer, readOid, Tag } from '@x/der'
import { CertificateView, type ExtensionView } from '@x/der/x509'
import { type CertificateInput, toCertificateDer } from './certificate-input.ts'
import { type NameRecord, nameToRecord } from './distinguished-name.ts'
import { CertificateError } from './errors.ts'
import { type ExtensionFields, extensionFields } from './extension-fields.ts'
import { extensionText } from './extension-text.ts'
import { DIGEST_LENGTHS, type FingerprintAlgorithm, publicKeyBits } from './fingerprint.ts'
import { refuseUnknown, wrongValue } from './misuse.ts'
import { oidNames } from './oids.ts'

/** One extension of a {@link CertificateDescription}. */
export interface ExtensionDescription {
  readonly oid: string
  /** OpenSSL's short name, where it has one. */
  readonly name: string | undefined
  readonly critical: boolean
  /** For people; not stable between versions. Hex where the type is not known or the content is broken. */
  readonly text: string
  /** DER inside the OCTET STRING. */
  readonly raw: Uint8Array
}

/** What a certificate says of itself. `createCertificate` takes it. */
export interface CertificateDescription extends ExtensionFields {
  /** 1, 2 or 3. */
  readonly version: number
  /** Hex in whole octets, lower case, with a minus sign where it is negative. */
  readonly serial: string
  readonly subject: NameRecord
  readonly issuer: NameRecord
  readonly notBefore: Date
  readonly notAfter: Date
  /** OpenSSL's long name, or the dotted OID; as it stands inside of what is signed. */
  readonly signatureAlgorithm: string
  readonly extensions: readonly ExtensionDescription[]
  /** Digests in hex: of the whole certificate, and of the public key's bits. */
  readonly digests: {
    readonly algorithm: FingerprintAlgorithm
    readonly certificate: string
    readonly publicKey: string
  }
  /** The certificate's digest as people compare it: `AB:CD:…`. */
  readonly fingerprint: string
}

const OPTIONS = new Set(['algorithm'])

/**
 * What a certificate says of itself; the original's `CERT_asHash`. Nothing is verified. A broken extension leaves its
 * field empty and is listed in `problems`; a certificate whose outer structure is not strict DER is an error.
 *
 * @param options - `algorithm`: of the digests, default 'sha256'.
 * @throws CertificateError ERR_CERT_INVALID and what `parseCertificate` throws for its input
 */
export function describeCertificate(
  certificate: CertificateInput,
  options: { readonly algorithm?: FingerprintAlgorithm } = {},
): CertificateDescription {
  refuseUnknown(options, OPTIONS)
  const { algorithm = 'sha256' } = options
  if (!Object.hasOwn(DIGEST_LENGTHS, algorithm))
    throw wrongValue('algorithm', "must be 'sha1', 'sha256', 'sha384' or 'sha512'")
  try {
    return describe(new CertificateView(toCertificateDer(certificate)), algorithm)
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw new CertificateError('ERR_CERT_INVALID', 'not a certificate in strict DER', { cause })
  }
}

function describe(view: CertificateView, algorithm: FingerprintAlgorithm): CertificateDescription {
  const extensions = view.extensions().map((one) => new DescribedExtension(one))
  const fields = extensionFields(extensions)
  const problems = [...fields.problems]
  const name = (field: 'subject' | 'issuer'): NameRecord => {
    try {
      return nameToRecord(view[field])
    } catch (error) {
      if (!(error instanceof DerError)) throw error
      problems.push(field)
      return {}
    }
  }
  const digest = hash(algorithm, view.der, 'hex')
  const id = readOid(openDer(view.tbsSignatureAlgorithm).expect(Tag.OID))
  return {
    version: view.version,
    serial: serialText(view.serialNumber),
    subject: name('subject'),
    issuer: name('issuer'),
    notBefore: new Date(view.notBefore),
    notAfter: new Date(view.notAfter),
    signatureAlgorithm: oidNames(id)?.name ?? id,
    ...fields,
    problems,
    extensions,
    digests: {
      algorithm,
      certificate: digest,
      publicKey: hash(algorithm, publicKeyBits(view.spki), 'hex'),
    },
    fingerprint: digest.toUpperCase().replace(/..(?!$)/g, '$&:'),
  }
}

/** The text is made when it is read: few readers want that of every extension. */
class DescribedExtension implements ExtensionDescription {
  readonly oid: string
  readonly name: string | undefined
  readonly critical: boolean
  readonly raw: Uint8Array

  constructor({ oid, critical, value }: ExtensionView) {
    this.oid = oid
    this.name = oidNames(oid)?.short
    this.critical = critical
    this.raw = value
  }

  get text(): string {
    return extensionText(this.oid, this.raw)
  }

  toJSON(): object {
    const { oid, name, critical, text, raw } = this
    return { oid, name, critical, text, raw: Buffer.from(raw).toString('hex') }
  }
}

function serialText(octets: Uint8Array): string {
  const hex = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex')
  if ((octets[0] as number) < 0x80) return octets.length > 1 && octets[0] === 0 ? hex.slice(2) : hex
  const magnitude = (-BigInt.asIntN(octets.length * 8, BigInt(`0x${hex}`))).toString(16)
  return `-${magnitude.length % 2 === 0 ? '' : '0'}${magnitude}`
}
