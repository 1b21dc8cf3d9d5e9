import {
  certificateToPem,
  createAuthority,
  createCertificate,
  describeCertificate,
  generateKeySync,
  oidFromName,
  type Purpose,
} from '@x/utils'
import { describe, expect, it } from 'vitest'
import { peer, perlHas, run } from '../src/index.ts'

const privateKey = generateKeySync('ec')
const WORDS =
  'client server email objsign CA sslCA emailCA objCA emailProtection codeSigning timeStamping digitalSignature nonRepudiation keyEncipherment dataEncipherment keyAgreement keyCertSign cRLSign encipherOnly decipherOnly clientAuth serverAuth'.split(
    ' ',
  )
const purposes: { purpose?: Purpose; ca?: boolean }[] = [
  {},
  { ca: true },
  ...WORDS.map((purpose) => ({ purpose })),
  ...WORDS.map((word) => ({ purpose: `server,client,CA -${word}` })),
  ...WORDS.map((word) => ({ purpose: [word, '-digitalSignature'] })),
  ...WORDS.map((word) => ({ purpose: { [word]: true, server: true }, ca: true })),
  ...WORDS.map((word) => ({ purpose: `-${word}`, ca: true })),
  { purpose: '+server -keyEncipherment' },
  { purpose: 'SERVER,Client' },
]

const CREATE = `
use strict; use warnings; use IO::Socket::SSL::Utils; use JSON::PP;
my $json = JSON::PP->new;
my $key = KEY_create_ec();
for my $case (@{ $json->decode(join '', <STDIN>) }) {
  my ($cert) = CERT_create(key => $key, $case->{ca} ? (CA => 1) : (), exists $case->{purpose} ? (purpose => $case->{purpose}) : ());
  print PEM_cert2string($cert), "\\0";
}
`

const DESCRIBE = `
use strict; use warnings; use IO::Socket::SSL::Utils; use JSON::PP;
for my $pem (@{ JSON::PP->new->decode(join '', <STDIN>) }) {
  print JSON::PP->new->canonical->encode(CERT_asHash(PEM_string2cert($pem))), "\\n";
}
`

const perl = peer('perl')
describe.skipIf(perl === undefined || !perlHas('IO::Socket::SSL'))('the original', () => {
  it('sets the same extensions for each purpose, byte for byte', async () => {
    const { stdout, stderr } = await run(perl as string, ['-e', CREATE], { input: JSON.stringify(purposes) })
    expect(stderr).toBe('')
    const theirs = stdout.split('\0').slice(0, -1)
    expect(theirs).toHaveLength(purposes.length)
    const usages = (pem: string): string[] =>
      describeCertificate(pem)
        .extensions.filter(({ name }) =>
          ['basicConstraints', 'keyUsage', 'nsCertType', 'extendedKeyUsage'].includes(name ?? ''),
        )
        .map(({ name, critical, raw }) => `${name} ${critical} ${Buffer.from(raw).toString('hex')}`)
    for (const [i, options] of purposes.entries())
      expect([options, usages(createCertificate({ privateKey, ...options }).cert)]).toEqual([
        options,
        usages(theirs[i] as string),
      ])
  })

  it('refuses the purposes that we refuse', async () => {
    for (const purpose of ['servr', 'server,nonsense']) {
      const { code } = await run(perl as string, ['-e', CREATE], { input: JSON.stringify([{ purpose }]) })
      expect(code).not.toBe(0)
      expect(() => createCertificate({ privateKey, purpose })).toThrow(TypeError)
    }
  })

  it('describes what we make as we do', async () => {
    const ca = createAuthority({ subject: { commonName: 'Root', organizationName: ['A', 'B'] } })
    const created = [
      ca,
      ca.issue({
        names: ['a.example', '*.b.example', '127.0.0.1', '2001:db8::1', 'a@b.c', 'https://a.example/'],
        ocspUris: ['http://o/'],
        crlUris: ['http://c/', 'http://d/'],
      }),
      ca.issue({
        subject: { countryName: 'DE', commonName: 'Ümläut', '1.2.3.4': 'x' },
        purpose: 'email',
        serial: 2n ** 150n,
        notBefore: Date.UTC(1975, 0),
        notAfter: Date.UTC(2060, 0),
      }),
    ]
    const { stdout, stderr } = await run(perl as string, ['-e', DESCRIBE], {
      input: JSON.stringify(created.map((one) => certificateToPem(one))),
    })
    expect(stderr).toBe('')
    const hashes = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    for (const [i, one] of created.entries()) {
      const ours = describeCertificate(one)
      expect({
        subject: ours.subject,
        issuer: ours.issuer,
        subjectAltNames: ours.subjectAltNames.length === 0 ? undefined : ours.subjectAltNames,
        not_before: ours.notBefore.getTime() / 1000,
        not_after: ours.notAfter.getTime() / 1000,
        serial: BigInt(`0x${ours.serial}`).toString(),
        version: ours.version - 1,
        signature_alg: ours.signatureAlgorithm,
        keyusage: ours.keyUsage,
        crl_uri: ours.crlUris,
        ocsp_uri: ours.ocspUris,
        x509_digest_sha256: ours.digests.certificate,
        pubkey_digest_sha256: ours.digests.publicKey,
        fingerprint_sha256: ours.fingerprint,
      }).toEqual({ ...pick(hashes[i] as object), subjectAltNames: hashes[i]?.['subjectAltNames'] })
      expect(ours.extendedKeyUsage.map((name) => oidFromName(name))).toEqual(
        (hashes[i] as { extkeyusage: { oid: string[] } }).extkeyusage.oid,
      )
    }
  })
})

function pick(hash: object): object {
  const { ext: _, extkeyusage: __, ...rest } = hash as Record<string, unknown>
  const utf8 = (name: unknown): object =>
    Object.fromEntries(
      Object.entries(name as object).map(([key, value]) => [
        key,
        typeof value === 'string' ? Buffer.from(value, 'latin1').toString('utf8') : value,
      ]),
    )
  const hex = (octets: unknown): string => Buffer.from(octets as string, 'latin1').toString('hex')
  return {
    ...rest,
    subject: utf8(rest['subject']),
    issuer: utf8(rest['issuer']),
    // Net::SSLeay returns undef for an extension without such a URI
    ocsp_uri: (rest['ocsp_uri'] as unknown[]).filter((uri) => uri !== null),
    x509_digest_sha256: hex(rest['x509_digest_sha256']),
    pubkey_digest_sha256: hex(rest['pubkey_digest_sha256']),
  }
}
