import { DerError, openDer, readOid, readSmallInteger, Tag } from '@x/der'
import {
  readAuthorityInfoAccess,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readDistributionPoints,
  readExtendedKeyUsage,
  readKeyUsage,
  readNameConstraints,
  readSubjectAltName,
  readSubjectKeyIdentifier,
  type GeneralNameView,
} from '@x/der/x509'
import { keyUsageNames } from './extension-fields.ts'
import { EXTENSION_OIDS, type ExtensionName } from './extensions.ts'
import { describeGeneralName, formatGeneralName } from './general-names.ts'
import { oidNames } from './oids.ts'
import { CERT_TYPES } from './purpose.ts'

/** An extension's content for people, or its hex where the type is unknown or the content broken. */
export function extensionText(oid: string, raw: Uint8Array): string {
  try {
    return FORMATTERS.get(oid)?.(raw) ?? hex(raw)
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    return hex(raw)
  }
}

const TEXTS: Readonly<Record<ExtensionName, (raw: Uint8Array) => string>> = {
  subjectAltName: (raw) => names(readSubjectAltName(raw)),
  issuerAltName: (raw) => names(readSubjectAltName(raw)),
  basicConstraints: (raw) => {
    const { ca, pathLength } = readBasicConstraints(raw)
    return `CA:${ca ? 'TRUE' : 'FALSE'}${pathLength === undefined ? '' : `, pathlen:${pathLength}`}`
  },
  keyUsage: (raw) => keyUsageNames(raw).join(', '),
  nsCertType: (raw) => {
    const mask = readKeyUsage(raw)
    return CERT_TYPES.filter((_, bit) => mask & (1 << bit)).join(', ')
  },
  extendedKeyUsage: (raw) => readExtendedKeyUsage(raw).map(oidText).join(', '),
  nsComment: (raw) => {
    const { bytes, position, end } = openDer(raw, Tag.IA5_STRING)
    return Buffer.from(bytes.subarray(position, end)).toString('latin1')
  },
  subjectKeyIdentifier: (raw) => hex(readSubjectKeyIdentifier(raw)),
  authorityKeyIdentifier: (raw) => {
    const { keyIdentifier, issuer, serialNumber } = readAuthorityKeyIdentifier(raw)
    const parts = keyIdentifier === undefined ? [] : [`keyid:${hex(keyIdentifier)}`]
    if (issuer !== undefined) parts.push(`issuer:${names(issuer)}`)
    if (serialNumber !== undefined) parts.push(`serial:${hex(serialNumber)}`)
    return parts.join(', ')
  },
  authorityInfoAccess: (raw) =>
    readAuthorityInfoAccess(raw)
      .map(({ method, location }) => `${oidText(method)} - ${names([location])}`)
      .join(', '),
  crlDistributionPoints: distributionPoints,
  freshestCRL: distributionPoints,
  certificatePolicies: (raw) => {
    const list = openDer(raw)
    const policies: string[] = []
    while (!list.done) policies.push(oidText(readOid(list.enterExpected(Tag.SEQUENCE).expect(Tag.OID))))
    return policies.join(', ')
  },
  nameConstraints: (raw) => {
    const { permitted, excluded } = readNameConstraints(raw)
    return [permitted.length && `permitted ${names(permitted)}`, excluded.length && `excluded ${names(excluded)}`]
      .filter(Boolean)
      .join('; ')
  },
  tlsfeature: (raw) => {
    const list = openDer(raw)
    const numbers: string[] = []
    while (!list.done) {
      const number = readSmallInteger(list.expect(Tag.INTEGER))
      numbers.push(number === 5 ? 'status_request' : String(number))
    }
    return numbers.join(', ')
  },
  noCheck: () => '',
}

const FORMATTERS = new Map(Object.entries(TEXTS).map(([name, text]) => [EXTENSION_OIDS[name as ExtensionName], text]))

function distributionPoints(raw: Uint8Array): string {
  return readDistributionPoints(raw)
    .map(({ name, crlIssuer }) => names(name?.fullName ?? crlIssuer ?? []))
    .join(', ')
}

function names(views: readonly GeneralNameView[]): string {
  return views.map((view) => formatGeneralName(describeGeneralName(view))).join(', ')
}

function oidText(oid: string): string {
  return oidNames(oid)?.name ?? oid
}

function hex(bytes: Uint8Array): string {
  return (Buffer.from(bytes).toString('hex').toUpperCase().match(/../g) ?? []).join(':')
}
