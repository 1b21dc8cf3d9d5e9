import { join } from 'node:path'
import { existsSync, globSync, readdirSync, readFileSync } from './files.mjs'

const titles = {
  959: 'FTP',
  1035: 'Domain names',
  1421: 'Privacy enhancement for e-mail (headers of encrypted keys)',
  2033: 'LMTP',
  2268: 'RC2',
  2595: 'TLS with IMAP, POP3 and ACAP',
  2818: 'HTTP over TLS',
  3207: 'SMTP STARTTLS',
  3279: 'Algorithms and identifiers for X.509',
  3696: 'Checking and transformation of names',
  3820: 'Proxy certificates',
  3920: 'XMPP (2004)',
  3986: 'URI: generic syntax',
  4055: 'RSA-PSS and RSAES-OAEP for X.509',
  4158: 'Certification path building',
  4217: 'Securing FTP with TLS',
  4279: 'Pre-shared keys in TLS',
  4291: 'IPv6 addressing',
  4511: 'LDAP: the protocol',
  4513: 'LDAP: authentication and security',
  4514: 'LDAP: string representation of names',
  4632: 'CIDR',
  4642: 'TLS with NNTP',
  5019: 'Lightweight OCSP',
  5246: 'TLS 1.2',
  5280: 'X.509 certificates and CRLs',
  5288: 'AES-GCM cipher suites',
  5321: 'SMTP',
  5425: 'TLS with syslog',
  5480: 'Elliptic curve keys for X.509',
  5487: 'Pre-shared keys with AES-GCM',
  5489: 'ECDHE_PSK cipher suites',
  5538: 'News and NNTP URIs (as the original names its schemes)',
  5539: 'NETCONF over TLS',
  5705: 'Keying material exporters',
  5758: 'DSA and ECDSA identifiers for X.509',
  5804: 'ManageSieve',
  5869: 'HKDF',
  5890: 'IDNA: definitions',
  5891: 'IDNA: protocol',
  5915: 'Elliptic curve private keys',
  5922: 'Domain certificates in SIP',
  5929: 'Channel bindings for TLS',
  5952: 'IPv6 text representation',
  5953: 'TLS with SNMP',
  5958: 'Asymmetric key packages (PKCS#8)',
  5971: 'GIST',
  6066: 'TLS extensions (server_name, status_request)',
  6120: 'XMPP',
  6125: 'Service identity (2011)',
  6960: 'OCSP',
  6961: 'Multiple certificate status',
  6962: 'Certificate transparency',
  7292: 'PKCS#12',
  7301: 'ALPN',
  7468: 'PEM',
  7469: 'Public key pinning',
  7627: 'Extended master secret',
  7633: 'TLS feature extension (must-staple)',
  7905: 'ChaCha20-Poly1305 cipher suites',
  7914: 'scrypt',
  8017: 'PKCS#1',
  8018: 'PKCS#5',
  8410: 'Ed25519, Ed448, X25519, X448 for X.509',
  8422: 'Elliptic curves in TLS 1.2',
  8446: 'TLS 1.3',
  8701: 'GREASE',
  9051: 'IMAP4rev2',
  9110: 'HTTP semantics',
  9257: 'External pre-shared keys',
  9525: 'Service identity',
  9579: 'PBMAC1 in PKCS#12',
  9598: 'Internationalized e-mail addresses in X.509',
  9618: 'Policy validation without an exponential tree',
  9654: 'OCSP nonces',
}

const section = String.raw`(?:[0-9]+(?:\.[0-9]+)*|[A-C](?:\.[0-9]+)*)(?![0-9A-Za-z])`
const citation = new RegExp(
  String.raw`RFC ?(\d{3,5})(?:,? (?:sections?|appendix|appendices) (${section}(?:(?:, | and )${section})*)|, ([0-9A-C](?:\.[0-9]+)+))?`,
  'g',
)

const head = `# Standards

Which section of which RFC is kept where, from the citations in the sources: \`node scripts/standards.mjs\` writes this page, and CI
fails where it is out of date. Where we differ from a standard on purpose, the file says why.

Not RFCs: X.690 (DER) is all of \`@x/der\`; the public suffix list's format (publicsuffix.org) is in
\`verify-hostname/suffix-rules.ts\`; UTS #46 comes with Node's \`domainToASCII\`; the handshakes of PostgreSQL and MySQL are in \`starttls\`.
`

/** The text of docs/standards.md. */
export function standards(root) {
  const found = new Map()
  for (const name of readdirSync(join(root, 'packages')))
    for (const file of globSync(join(root, 'packages', name, 'src'), '.ts')) {
      const place = `${name}/${file.slice(join(root, 'packages', name, 'src').length + 1)}`
      // a citation may be broken over two lines of a comment
      const text = readFileSync(file, 'utf8').replace(/\n\s*(?:\*|\/\/) ?/g, ' ')
      for (const [, rfc, sections, single] of text.matchAll(citation)) {
        for (const section of (sections ?? single ?? '').split(/, | and /)) {
          if (!found.has(rfc)) found.set(rfc, new Map())
          if (!found.get(rfc).has(section)) found.get(rfc).set(section, new Set())
          found.get(rfc).get(section).add(place)
        }
      }
    }
  const byNumber = (a, b) => a[0].localeCompare(b[0], 'en', { numeric: true })
  const parts = [...found].sort(byNumber).map(([rfc, sections]) => {
    const rows = [...sections].sort(byNumber).map(
      ([section, files]) =>
        `| ${section === '' ? 'as a whole' : section} | ${[...files]
          .sort((a, b) => a.localeCompare(b))
          .map((file) => `\`${file}\``)
          .join(', ')} |`,
    )
    return `## RFC ${[rfc, titles[rfc]].filter((part) => part !== undefined).join(': ')}\n\n| section | kept in |\n| --- | --- |\n${rows.join('\n')}\n`
  })
  return [head, ...parts].join('\n')
}

/** Says so where docs/standards.md is not what the sources give. */
export function checkStandards(root) {
  const path = join(root, 'docs/standards.md')
  if (existsSync(path) && readFileSync(path, 'utf8') === standards(root)) return []
  return ['standards: docs/standards.md is out of date: node scripts/standards.mjs']
}
