export {
  type AccessDescription,
  AccessMethod,
  readAccessUris,
  readAuthorityInfoAccess,
  uriText,
} from './x509/access-description.ts'
export {
  AlgorithmId,
  DigestId,
  digestName,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
} from './x509/algorithms.ts'
export { type BasicConstraints, readBasicConstraints } from './x509/basic-constraints.ts'
export { canonicalName, canonicalRdn } from './x509/canonical-name.ts'
export { CertificateListView } from './x509/certificate-list.ts'
export { CertificateView } from './x509/certificate.ts'
export {
  type DistributionPoint,
  type DistributionPointName,
  type IssuingDistributionPoint,
  readDistributionPoints,
  readDistributionPointUris,
  readIssuingDistributionPoint,
  ReasonFlag,
} from './x509/distribution-point.ts'
export { type ExtensionView, findExtension, readExtensions, sameBytes } from './x509/extension.ts'
export {
  expectGeneralName,
  GeneralNameTag,
  type GeneralNameView,
  readGeneralName,
  readGeneralNames,
  readSubjectAltName,
} from './x509/general-name.ts'
export {
  type AuthorityKeyIdentifier,
  readAuthorityKeyIdentifier,
  readSubjectKeyIdentifier,
} from './x509/key-identifier.ts'
export { KeyUsage, readExtendedKeyUsage, readKeyUsage, readNamedBits } from './x509/key-usage.ts'
export { type NameAttribute, readName, readRdn } from './x509/name.ts'
export { type NameConstraints, readNameConstraints } from './x509/name-constraints.ts'
export { ExtensionId, ExtensionOid, KeyPurposeId } from './x509/oids.ts'
