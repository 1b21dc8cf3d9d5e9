export { type Authority, createAuthority, type IssuedIdentity, type IssueOptions } from './authority.ts'
export {
  type CertificateInput,
  type CertificateListInput,
  type RawCertificate,
  toCertificateDer,
  toCertificateDers,
} from './certificate-input.ts'
export type { CertificateOptions, Issuer } from './certificate-options.ts'
export { certificateToPem, parseCertificate, parseCertificates } from './certificates.ts'
export { createCertificate, type CreatedCertificate, type CreatedIdentity } from './create-certificate.ts'
export { encodeName, formatName, nameToRecord, type NameRecord } from './distinguished-name.ts'
export {
  type CertificateDescription,
  describeCertificate,
  type ExtensionDescription,
} from './describe-certificate.ts'
export { CertificateError, type CertificateErrorCode } from './errors.ts'
export type { ExtensionInput, ExtensionName, ExtensionValues, RawExtension, TypedExtension } from './extensions.ts'
export {
  type FilePath,
  readCertificate,
  readCertificates,
  readIdentity,
  type ReadKeyOptions,
  readPrivateKey,
  writeCertificates,
  type WriteOptions,
  writePrivateKey,
} from './files.ts'
export type { WritableFile, WritableFileSystem } from './atomic-write.ts'
export { type Identity, type IdentityOptions, parseIdentity } from './identity.ts'
export {
  fingerprint,
  type FingerprintAlgorithm,
  type FingerprintOf,
  type FingerprintOptions,
  matchesFingerprint,
  type ParsedFingerprint,
  parseFingerprint,
  publicKeyBits,
} from './fingerprint.ts'
export type { GeneralName } from './general-names.ts'
export { generateKey, generateKeySync, type KeyKind, type KeyKindInput } from './generate-key.ts'
export { bytesOfIp, bytesOfIpRange, ipOfBytes } from './ip-address.ts'
export { oidFromName, type OidNames, oidNames } from './oids.ts'
export { type PemBlock, readPem, writePem } from './pem.ts'
export {
  parsePrivateKey,
  type Passphrase,
  type PrivateKeyInput,
  type PrivateKeyOptions,
  privateKeyToPem,
} from './private-keys.ts'
export { parsePkcs12, type Pkcs12Content } from './pkcs12.ts'
export type { Purpose } from './purpose.ts'
export {
  type DerSignature,
  type SignatureClaim,
  signatureAlgorithm,
  signDer,
  type VerifiedSignature,
  verifySignature,
} from './signature.ts'
