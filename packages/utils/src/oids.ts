import { oid as encodeOid } from '@x/der'

/** What an object identifier is called: by people (`name`, OpenSSL's long name) and for short. */
export interface OidNames {
  readonly oid: string
  readonly name: string
  readonly short: string
}

/** OID, short name, long name: as OpenSSL has them, since the original shows them so. */
const TABLE = `
2.5.4.3 CN commonName
2.5.4.4 SN surname
2.5.4.5 serialNumber serialNumber
2.5.4.6 C countryName
2.5.4.7 L localityName
2.5.4.8 ST stateOrProvinceName
2.5.4.9 street streetAddress
2.5.4.10 O organizationName
2.5.4.11 OU organizationalUnitName
2.5.4.12 title title
2.5.4.13 description description
2.5.4.15 businessCategory businessCategory
2.5.4.16 postalAddress postalAddress
2.5.4.17 postalCode postalCode
2.5.4.18 postOfficeBox postOfficeBox
2.5.4.20 telephoneNumber telephoneNumber
2.5.4.41 name name
2.5.4.42 GN givenName
2.5.4.43 initials initials
2.5.4.44 generationQualifier generationQualifier
2.5.4.45 x500UniqueIdentifier x500UniqueIdentifier
2.5.4.46 dnQualifier dnQualifier
2.5.4.65 pseudonym pseudonym
2.5.4.72 role role
2.5.4.97 organizationIdentifier organizationIdentifier
1.2.643.3.131.1.1 INN INN
1.2.643.100.1 OGRN OGRN
1.2.643.100.3 SNILS SNILS
0.9.2342.19200300.100.1.1 UID userId
0.9.2342.19200300.100.1.25 DC domainComponent
1.2.840.113549.1.9.1 emailAddress emailAddress
1.2.840.113549.1.9.2 unstructuredName unstructuredName
1.2.840.113549.1.9.8 unstructuredAddress unstructuredAddress
1.3.6.1.4.1.311.60.2.1.1 jurisdictionL jurisdictionLocalityName
1.3.6.1.4.1.311.60.2.1.2 jurisdictionST jurisdictionStateOrProvinceName
1.3.6.1.4.1.311.60.2.1.3 jurisdictionC jurisdictionCountryName
2.5.29.9 subjectDirectoryAttributes X509v3 Subject Directory Attributes
2.5.29.14 subjectKeyIdentifier X509v3 Subject Key Identifier
2.5.29.15 keyUsage X509v3 Key Usage
2.5.29.16 privateKeyUsagePeriod X509v3 Private Key Usage Period
2.5.29.17 subjectAltName X509v3 Subject Alternative Name
2.5.29.18 issuerAltName X509v3 Issuer Alternative Name
2.5.29.19 basicConstraints X509v3 Basic Constraints
2.5.29.20 crlNumber X509v3 CRL Number
2.5.29.21 CRLReason X509v3 CRL Reason Code
2.5.29.24 invalidityDate Invalidity Date
2.5.29.27 deltaCRL X509v3 Delta CRL Indicator
2.5.29.28 issuingDistributionPoint X509v3 Issuing Distribution Point
2.5.29.29 certificateIssuer X509v3 Certificate Issuer
2.5.29.30 nameConstraints X509v3 Name Constraints
2.5.29.31 crlDistributionPoints X509v3 CRL Distribution Points
2.5.29.32 certificatePolicies X509v3 Certificate Policies
2.5.29.33 policyMappings X509v3 Policy Mappings
2.5.29.35 authorityKeyIdentifier X509v3 Authority Key Identifier
2.5.29.36 policyConstraints X509v3 Policy Constraints
2.5.29.37 extendedKeyUsage X509v3 Extended Key Usage
2.5.29.46 freshestCRL X509v3 Freshest CRL
2.5.29.54 inhibitAnyPolicy X509v3 Inhibit Any Policy
1.3.6.1.5.5.7.1.1 authorityInfoAccess Authority Information Access
1.3.6.1.5.5.7.1.3 qcStatements qcStatements
1.3.6.1.5.5.7.1.11 subjectInfoAccess Subject Information Access
1.3.6.1.5.5.7.1.24 tlsfeature TLS Feature
1.3.6.1.5.5.7.48.1 OCSP OCSP
1.3.6.1.5.5.7.48.1.5 noCheck OCSP No Check
1.3.6.1.5.5.7.48.2 caIssuers CA Issuers
1.3.6.1.4.1.11129.2.4.2 ct_precert_scts CT Precertificate SCTs
1.3.6.1.4.1.11129.2.4.3 ct_precert_poison CT Precertificate Poison
2.16.840.1.113730.1.1 nsCertType Netscape Cert Type
2.16.840.1.113730.1.13 nsComment Netscape Comment
1.3.6.1.5.5.7.3.1 serverAuth TLS Web Server Authentication
1.3.6.1.5.5.7.3.2 clientAuth TLS Web Client Authentication
1.3.6.1.5.5.7.3.3 codeSigning Code Signing
1.3.6.1.5.5.7.3.4 emailProtection E-mail Protection
1.3.6.1.5.5.7.3.5 ipsecEndSystem IPSec End System
1.3.6.1.5.5.7.3.6 ipsecTunnel IPSec Tunnel
1.3.6.1.5.5.7.3.7 ipsecUser IPSec User
1.3.6.1.5.5.7.3.8 timeStamping Time Stamping
1.3.6.1.5.5.7.3.9 OCSPSigning OCSP Signing
1.3.6.1.5.5.7.3.17 ipsecIKE ipsec Internet Key Exchange
1.3.6.1.4.1.311.2.1.21 msCodeInd Microsoft Individual Code Signing
1.3.6.1.4.1.311.2.1.22 msCodeCom Microsoft Commercial Code Signing
1.3.6.1.4.1.311.10.3.3 msSGC Microsoft Server Gated Crypto
1.3.6.1.4.1.311.10.3.4 msEFS Microsoft Encrypted File System
1.3.6.1.4.1.311.20.2.2 msSmartcardLogin Microsoft Smartcard Login
2.16.840.1.113730.4.1 nsSGC Netscape Server Gated Crypto
1.3.6.1.4.1.11129.2.4.4 ct_precert_signer CT Precertificate Signer
1.3.6.1.4.1.311.10.3.1 msCTLSign Microsoft Trust List Signing
1.3.6.1.5.2.3.4 pkInitClientAuth PKINIT Client Auth
1.3.6.1.5.2.3.5 pkInitKDC Signing KDC Response
2.5.29.37.0 anyExtendedKeyUsage Any Extended Key Usage
1.2.840.113549.1.1.1 rsaEncryption rsaEncryption
1.2.840.113549.1.1.2 RSA-MD2 md2WithRSAEncryption
1.2.840.113549.1.1.4 RSA-MD5 md5WithRSAEncryption
1.2.840.113549.1.1.5 RSA-SHA1 sha1WithRSAEncryption
1.2.840.113549.1.1.10 RSASSA-PSS rsassaPss
1.2.840.113549.1.1.11 RSA-SHA256 sha256WithRSAEncryption
1.2.840.113549.1.1.12 RSA-SHA384 sha384WithRSAEncryption
1.2.840.113549.1.1.13 RSA-SHA512 sha512WithRSAEncryption
1.2.840.113549.1.1.14 RSA-SHA224 sha224WithRSAEncryption
1.2.840.10045.4.1 ecdsa-with-SHA1 ecdsa-with-SHA1
1.2.840.10045.4.3.1 ecdsa-with-SHA224 ecdsa-with-SHA224
1.2.840.10045.4.3.2 ecdsa-with-SHA256 ecdsa-with-SHA256
1.2.840.10045.4.3.3 ecdsa-with-SHA384 ecdsa-with-SHA384
1.2.840.10045.4.3.4 ecdsa-with-SHA512 ecdsa-with-SHA512
1.2.840.10040.4.3 DSA-SHA1 dsaWithSHA1
2.16.840.1.101.3.4.3.1 dsa_with_SHA224 dsa_with_SHA224
2.16.840.1.101.3.4.3.2 dsa_with_SHA256 dsa_with_SHA256
1.2.643.2.2.3 id-GostR3411-94-with-GostR3410-2001 GOST R 34.11-94 with GOST R 34.10-2001
1.3.101.112 ED25519 ED25519
1.3.101.113 ED448 ED448
`

const byOid = new Map<string, OidNames>()
const byName = new Map<string, OidNames>()
for (const line of TABLE.trim().split('\n')) {
  const [oid = '', short = '', ...long] = line.split(' ')
  const names = { oid, short, name: long.join(' ') }
  byOid.set(oid, names)
  for (const key of [names.name, short]) if (!byName.has(key.toLowerCase())) byName.set(key.toLowerCase(), names)
}

/** What an OID is called, or undefined where this table does not know it. */
export function oidNames(oid: string): OidNames | undefined {
  return byOid.get(oid)
}

/** The OID for a dotted OID itself, a long or a short name (case ignored), or undefined. */
export function oidFromName(name: string): string | undefined {
  return /^[0-2](\.\d+)+$/.test(name) ? name : byName.get(name.toLowerCase())?.oid
}

const encoded = new Map<string, Uint8Array>()

/** An OID as DER, with its header; encoded once where the table knows it. Not to be written to. */
export function oidElement(oid: string): Uint8Array {
  const known = encoded.get(oid)
  if (known !== undefined) return known
  const der = encodeOid(oid)
  if (byOid.has(oid)) encoded.set(oid, der)
  return der
}
