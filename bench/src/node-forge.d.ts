/** What the benchmark uses of node-forge, which has no declarations of its own. */
declare module 'node-forge' {
  interface Attribute {
    readonly type: string
    readonly value: string
  }
  interface ForgeCertificate {
    serialNumber: string
    publicKey: object
    validity: { notBefore: Date; notAfter: Date }
    readonly subject: { readonly attributes: readonly Attribute[] }
    readonly extensions: readonly { readonly id: string }[]
    setSubject(attributes: readonly Attribute[]): void
    setIssuer(attributes: readonly Attribute[]): void
    setExtensions(extensions: readonly { readonly id: string }[]): void
    sign(key: object, digest: object): void
  }
  const forge: {
    readonly pki: {
      certificateFromPem(pem: string): ForgeCertificate
      privateKeyFromPem(pem: string): { readonly n: object; readonly e: object }
      setRsaPublicKey(n: object, e: object): object
      createCertificate(): ForgeCertificate
      certificateToAsn1(certificate: ForgeCertificate): object
    }
    readonly md: { readonly sha256: { create(): object } }
    readonly asn1: { toDer(object: object): { getBytes(): string } }
  }
  export default forge
}
