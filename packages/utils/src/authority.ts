import type { CertificateOptions } from './certificate-options.ts'
import { createCertificate, type CreatedIdentity } from './create-certificate.ts'
import { guessGeneralName } from './general-names.ts'
import { refuseInherited } from './misuse.ts'
import { writePem } from './pem.ts'

/** What {@link Authority.issue} takes: the options of `createCertificate`, and `names`. */
export interface IssueOptions extends Omit<CertificateOptions, 'issuer' | 'publicKey'> {
  /** DNS names, IP addresses, e-mail addresses and URIs, told apart; put before `subjectAltNames`. */
  readonly names?: string | readonly string[]
}

/** A certificate issued by an {@link Authority}, with its key. `cert` is its PEM followed by that of the intermediates above it. */
export interface IssuedIdentity extends CreatedIdentity {
  /** PEM of the root: what a client gives as `ca`. */
  readonly ca: string
}

/** A certificate authority that issues certificates: a root, or an intermediate that another one issued. */
export interface Authority extends IssuedIdentity {
  /** Issues an intermediate. */
  issue(options: IssueOptions & { readonly ca: true }): Authority
  /** Issues a certificate for these names. */
  issue(namesOrOptions?: string | readonly string[] | IssueOptions): IssuedIdentity
}

const DAY = 86_400_000

/**
 * A new CA for tests and development, with a new P-256 key unless told: its certificate is valid for ten years and can sign
 * certificates, CRLs and OCSP responses. The name becomes its commonName, default 'Test CA'; or options of `createCertificate`.
 */
export function createAuthority(
  name: string | Omit<CertificateOptions, 'issuer' | 'publicKey' | 'ca'> = 'Test CA',
): Authority {
  const options: CertificateOptions = typeof name === 'string' ? { subject: { commonName: name } } : name
  refuseInherited(options) // a copy of it would be without its limits
  const root = createCertificate({ ...caDefaults(options, 'Test CA'), ...options, ca: true })
  return asAuthority(root, [], root)
}

function asAuthority(identity: CreatedIdentity, above: readonly CreatedIdentity[], root: CreatedIdentity): Authority {
  function issue(options: IssueOptions & { readonly ca: true }): Authority
  function issue(namesOrOptions?: string | readonly string[] | IssueOptions): IssuedIdentity
  function issue(namesOrOptions: string | readonly string[] | IssueOptions = {}): IssuedIdentity | Authority {
    const given: IssueOptions =
      typeof namesOrOptions === 'string' || isList(namesOrOptions) ? { names: namesOrOptions } : namesOrOptions
    refuseInherited(given)
    const { names = [], ...options } = given
    const issued = createCertificate({
      ...(options.ca === true ? caDefaults(options, 'Test intermediate CA') : {}),
      ...options,
      ...withNames(names, options),
      issuer: identity,
    })
    const chain = identity === root ? [] : [identity, ...above]
    return options.ca === true ? asAuthority(issued, chain, root) : asIssued(issued, chain, root)
  }
  return Object.assign(asIssued(identity, above, root), { issue })
}

/** Getters stay getters: neither PEM nor X509Certificate is built before it is read. */
function asIssued(identity: CreatedIdentity, above: readonly CreatedIdentity[], root: CreatedIdentity): IssuedIdentity {
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(identity),
      cert: {
        get: () => [identity, ...above].map(({ raw }) => writePem('CERTIFICATE', raw)).join(''),
        enumerable: true,
      },
      ca: { get: () => writePem('CERTIFICATE', root.raw), enumerable: true },
    },
  ) as IssuedIdentity
}

function caDefaults({ now = Date.now, notBefore }: CertificateOptions, commonName: string): CertificateOptions {
  return { subject: { commonName }, notAfter: Number(notBefore ?? now()) + 3652 * DAY, purpose: 'cRLSign' }
}

function withNames(
  names: string | readonly string[],
  options: IssueOptions,
): Pick<CertificateOptions, 'subjectAltNames'> {
  const list = isList(names) ? names : [names]
  if (list.length === 0) return {}
  return { subjectAltNames: [...list.map(guessGeneralName), ...(options.subjectAltNames ?? [])] }
}

function isList(names: unknown): names is readonly string[] {
  return Array.isArray(names)
}
