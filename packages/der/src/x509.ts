export { CertificateView, type ExtensionView, readExtensions, sameBytes } from './x509/certificate.ts'
export { type NameAttribute, readName } from './x509/name.ts'
