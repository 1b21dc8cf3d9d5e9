import { createAuthority, type IssuedIdentity, type KeyKindInput } from '@x/utils'

/** A certificate to be shown to others. */
export interface Variant {
  readonly name: string
  readonly role: 'server' | 'client'
  /** What a client asks for: a name, or an address. */
  readonly host: string
  readonly identity: IssuedIdentity
  /** Which programs know this kind of key. */
  readonly key: string
}

const KEYS: Readonly<Record<string, KeyKindInput>> = {
  'RSA-2048': 'rsa',
  'P-256': 'ec',
  'P-384': { type: 'ec', curve: 'P-384' },
  Ed25519: 'ed25519',
}

/** A root of each kind, and below its intermediate what it issues. */
export function variants(): Variant[] {
  return Object.entries(KEYS).flatMap(([key, kind]) => {
    const root = createAuthority({ subject: { commonName: `Root ${key}` }, privateKey: kind })
    const intermediate = root.issue({
      ca: true,
      pathLength: 0,
      privateKey: kind,
      subject: { commonName: `Intermediate ${key}` },
    })
    const server = (name: string, host: string, options: object): Variant => ({
      name: `${key} ${name}`,
      role: 'server',
      host,
      key,
      identity: intermediate.issue({ purpose: 'server', privateKey: kind, ...options }),
    })
    return [
      server('server', 'www.example.org', { names: ['example.org', 'www.example.org'] }),
      server('wildcard', 'any.example.org', { names: '*.example.org' }),
      server('IPv4', '127.0.0.1', { names: '127.0.0.1' }),
      server('IPv6', '::1', { names: '::1' }),
      server('IDN', 'xn--mnchen-3ya.example', { names: 'münchen.example' }),
      server('empty subject', 'empty.example.org', { names: 'empty.example.org', subject: {} }),
      server('both roles', 'both.example.org', { names: 'both.example.org', purpose: 'server,client' }),
      server('URLs', 'urls.example.org', {
        names: 'urls.example.org',
        ocspUris: ['http://ocsp.example.org/'],
        crlUris: ['http://crl.example.org/'],
        extensions: [{ name: 'certificatePolicies', value: ['2.23.140.1.2.1'] }],
      }),
      {
        name: `${key} client`,
        role: 'client',
        host: '',
        key,
        identity: intermediate.issue({ purpose: 'client', privateKey: kind, subject: { commonName: 'A client' } }),
      },
    ] as const
  })
}
