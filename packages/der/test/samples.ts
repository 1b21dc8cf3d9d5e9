import { rootCertificates } from 'node:tls'
import {
  bitString,
  boolean,
  contextTag,
  element,
  enumerated,
  generalizedTime,
  integer,
  namedBits,
  nullElement,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  time,
  utf8String,
} from '../src/index.ts'
import { GeneralNameTag } from '../src/x509.ts'

/** An AlgorithmIdentifier: sha256WithRSAEncryption. */
export const ALGORITHM: Uint8Array = sequence(oid('1.2.840.113549.1.1.11'), nullElement())

/** A Name with two RDNs, the second of two attributes. */
export const NAME: Uint8Array = sequence(
  setOf(sequence(oid('2.5.4.6'), printableString('DE'))),
  setOf(sequence(oid('2.5.4.3'), utf8String('Bücher')), sequence(oid('2.5.4.5'), printableString('7'))),
)

export const SPKI: Uint8Array = sequence(ALGORITHM, bitString(new Uint8Array(40).fill(3)))

export function ascii(tag: number, text: string): Uint8Array {
  return element(tag, Buffer.from(text, 'latin1'))
}

const dns = ascii(GeneralNameTag.DNS, '*.example.org')
const uri = ascii(GeneralNameTag.URI, 'http://ca.example/list')
const ip = element(GeneralNameTag.IP, Uint8Array.of(192, 0, 2, 1))
const directory = element(GeneralNameTag.DIRECTORY, NAME)
const other = element(
  GeneralNameTag.OTHER_NAME,
  sequence(oid('1.3.6.1.4.1.311.20.2.3'), element(contextTag(0, true), utf8String('u@example.org'))),
)
const registered = element(GeneralNameTag.REGISTERED_ID, oid('2.999.3').subarray(2))

/** Values of each kind of extension that there is a reader for. */
export const extensionValues: Readonly<Record<string, Uint8Array>> = {
  '2.5.29.14': octetString(new Uint8Array(20).fill(1)),
  '2.5.29.15': namedBits([0, 5, 8]),
  '2.5.29.17': sequence(ascii(GeneralNameTag.EMAIL, 'a@example.org'), dns, uri, ip, directory, other, registered),
  '2.5.29.19': sequence(boolean(true), integer(3)),
  '2.5.29.28': sequence(
    element(contextTag(0, true), element(contextTag(0, true), uri)),
    element(contextTag(1), Uint8Array.of(0xff)),
    element(contextTag(3), Uint8Array.of(1, 0x46)),
    element(contextTag(4), Uint8Array.of(0xff)),
  ),
  '2.5.29.30': sequence(
    element(contextTag(0, true), sequence(dns), sequence(directory)),
    element(contextTag(1, true), sequence(element(GeneralNameTag.IP, new Uint8Array(32)))),
  ),
  '2.5.29.31': sequence(
    sequence(element(contextTag(0, true), element(contextTag(0, true), uri, directory))),
    sequence(
      element(contextTag(0, true), element(contextTag(1, true), sequence(oid('2.5.4.3'), printableString('CRL1')))),
      element(contextTag(1), Uint8Array.of(1, 0x46)),
      element(contextTag(2, true), directory),
    ),
  ),
  '2.5.29.35': sequence(
    element(contextTag(0), new Uint8Array(20).fill(2)),
    element(contextTag(1, true), directory),
    element(contextTag(2), Uint8Array.of(0x12, 0x34)),
  ),
  '2.5.29.37': sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2')),
  '1.3.6.1.5.5.7.1.1': sequence(
    sequence(oid('1.3.6.1.5.5.7.48.1'), ascii(GeneralNameTag.URI, 'http://ocsp.example')),
    sequence(oid('1.3.6.1.5.5.7.48.2'), directory),
    sequence(oid('1.3.6.1.5.5.7.48.2'), uri),
  ),
}

export function extension(type: string, value: Uint8Array, critical = false): Uint8Array {
  return critical ? sequence(oid(type), boolean(true), octetString(value)) : sequence(oid(type), octetString(value))
}

export function allExtensions(): Uint8Array[] {
  return Object.entries(extensionValues).map(([type, value], i) => extension(type, value, i % 3 === 0))
}

/** What a TBSCertificate is made of, each to be replaced by a test; `undefined` fields are left out. */
export function certificate(changed: Readonly<Record<string, Uint8Array | undefined>> = {}): Uint8Array {
  const fields: Readonly<Record<string, Uint8Array | undefined>> = {
    version: element(contextTag(0, true), integer(2)),
    serial: integer(0x1234),
    tbsAlgorithm: ALGORITHM,
    issuer: NAME,
    validity: sequence(time(Date.UTC(2026, 0)), time(Date.UTC(2060, 0))),
    subject: NAME,
    spki: SPKI,
    extensions: element(contextTag(3, true), sequence(...allExtensions())),
    more: undefined,
    ...changed,
  }
  const { algorithm = ALGORITHM, signature = bitString(new Uint8Array(64).fill(9)), after, ...tbs } = fields
  return sequence(sequence(...present(tbs)), algorithm, signature, ...(after === undefined ? [] : [after]))
}

export const REVOKED: readonly Uint8Array[] = [
  sequence(integer(5), time(Date.UTC(2026, 1))),
  sequence(integer(6), time(Date.UTC(2026, 2)), sequence(extension('2.5.29.21', enumerated(1)))),
]

/** The same for a TBSCertList. */
export function certificateList(changed: Readonly<Record<string, Uint8Array | undefined>> = {}): Uint8Array {
  const fields: Readonly<Record<string, Uint8Array | undefined>> = {
    version: integer(1),
    tbsAlgorithm: ALGORITHM,
    issuer: NAME,
    thisUpdate: time(Date.UTC(2026, 3)),
    nextUpdate: generalizedTime(Date.UTC(2026, 4)),
    revoked: sequence(...REVOKED),
    extensions: element(
      contextTag(0, true),
      sequence(
        extension('2.5.29.20', integer(9)),
        extension('2.5.29.28', extensionValues['2.5.29.28'] as Uint8Array, true),
      ),
    ),
    more: undefined,
    ...changed,
  }
  const { algorithm = ALGORITHM, signature = bitString(new Uint8Array(64).fill(9)), after, ...tbs } = fields
  return sequence(sequence(...present(tbs)), algorithm, signature, ...(after === undefined ? [] : [after]))
}

function present(fields: Readonly<Record<string, Uint8Array | undefined>>): Uint8Array[] {
  return Object.values(fields).filter((field) => field !== undefined)
}

/** Real certificates, of many makers and sizes, and some of our own that have every extension. */
export function baseCertificates(): Uint8Array[] {
  const real = rootCertificates.filter((_, i) => i % 11 === 0).map((pem) => fromPem(pem))
  return [...real, certificate(), certificate({ version: undefined, extensions: undefined })]
}

export function fromPem(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))
}
