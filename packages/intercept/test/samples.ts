import {
  type Authority,
  createAuthority,
  createCertificate,
  type CertificateOptions,
  type CreatedIdentity,
} from '@x/utils'

export const DAY = 86_400_000
export const NOW: number = Date.UTC(2026, 10, 21, 12)

/** A CA and its key: what an interceptor is made of, and what an issuer is. */
export function identityOf({ certificate, privateKey }: Authority): Pick<Authority, 'certificate' | 'privateKey'> {
  return { certificate, privateKey }
}

/** The interceptor's CA, and one that issues what is cloned. */
export const proxyCa: ReturnType<typeof identityOf> = identityOf(createAuthority('Proxy CA'))
export const originCa: ReturnType<typeof identityOf> = identityOf(createAuthority('Origin CA'))

/** A certificate to clone: of a public CA's kind, issued, valid now, with all that a clone must leave out. */
export function origin(options: CertificateOptions = {}): CreatedIdentity {
  return createCertificate({
    subjectAltNames: [['DNS', 'www.example.org']],
    notBefore: NOW - 10 * DAY,
    notAfter: NOW + 80 * DAY,
    ocspUris: ['http://ocsp.example'],
    crlUris: ['http://crl.example/1'],
    mustStaple: true,
    issuer: originCa,
    ...options,
  })
}

/** Octets from hexadecimal text. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
}
