import { type Authority, createAuthority, type IssuedIdentity, type IssueOptions } from '@x/utils'

const DAY = 86_400_000

/** Ready-made certificates for tests. Each is made when it is first asked for, with a P-256 key. */
export class TestCa {
  readonly root: Authority = createAuthority('Test root')
  readonly intermediate: Authority = this.root.issue({ ca: true, pathLength: 0 })

  /** PEM of the root: a client's `ca`. */
  get ca(): string {
    return this.root.cert
  }

  server(...names: readonly string[]): IssuedIdentity {
    return this.root.issue({ names: names.length > 0 ? names : ['localhost', '127.0.0.1', '::1'], purpose: 'server' })
  }

  /** Below the intermediate; its `cert` holds both. */
  serverBelowIntermediate(...names: readonly string[]): IssuedIdentity {
    return this.intermediate.issue({ names: names.length > 0 ? names : ['localhost'], purpose: 'server' })
  }

  client(commonName = 'Test client'): IssuedIdentity {
    return this.root.issue({ subject: { commonName }, purpose: 'client' })
  }

  wildcard(domain: string): IssuedIdentity {
    return this.server(`*.${domain}`)
  }

  expired(...names: readonly string[]): IssuedIdentity {
    return this.issue(names, { notBefore: Date.now() - 30 * DAY, notAfter: Date.now() - DAY })
  }

  notYetValid(...names: readonly string[]): IssuedIdentity {
    return this.issue(names, { notBefore: Date.now() + DAY, notAfter: Date.now() + 30 * DAY })
  }

  /** Signs OCSP responses for the root (RFC 6960 section 4.2.2.2). */
  ocspResponder(): IssuedIdentity {
    return this.root.issue({
      subject: { commonName: 'Test OCSP responder' },
      purpose: 'OCSPSigning',
      extensions: [{ name: 'noCheck', value: null }],
    })
  }

  /** Anything else, for these names (localhost unless told). */
  issue(names: readonly string[], options: IssueOptions = {}): IssuedIdentity {
    return this.root.issue({ names: names.length > 0 ? names : ['localhost'], ...options })
  }
}
