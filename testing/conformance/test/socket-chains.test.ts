import { describe, expect, it } from 'vitest'
import { loadCaStore } from '@x/ca-store'
import { DerCursor, Tag } from '@x/der'
import { matchHostname } from '@x/verify-hostname'
import { X509Certificate } from 'node:crypto'
import {
  type AnchorSource,
  caStoreAnchors,
  crlCheck,
  listedAnchors,
  type PathRequest,
  validatePath,
} from '../../../packages/socket/src/verify/path/index.ts'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Row {
  readonly name: string
  readonly cli?: string
  readonly trust_anchors: readonly string[]
  readonly intermediates: readonly string[]
  readonly leaf: string
  readonly crls: readonly string[]
  readonly crl_check: boolean
  readonly time: string | null
  readonly purpose: string
  readonly peer_name?: { readonly kind: string; readonly value: string }
  readonly options: Readonly<Record<string, unknown>>
  readonly user_constrained_policy_set?: readonly string[]
  readonly expected: 'valid' | 'invalid'
}

const TLS_PURPOSES: Readonly<Record<string, PathRequest['purpose']>> = {
  any: 'any',
  server: 'server',
  sslserver: 'server',
  sslclient: 'client',
}

describe.each(['pkits', 'limbo-2023', 'openssl-verify'])('the walk agrees with %s', (name) => {
  const rows = corpus<Row>(`chains/${name}.jsonl`)
  it.skipIf(rows === undefined)('but for the exceptions listed', () => {
    const differences: Difference[] = []
    for (const row of rows ?? []) {
      const id =
        row.cli === undefined ? row.name : `${row.name}: ${row.cli.replaceAll(/openssl verify |test\/certs\//g, '')}`
      const actual = verdict(row, name)
      if (actual !== row.expected) differences.push({ id, expected: row.expected, actual })
    }
    if (process.env['CHAINS_SHOW'] !== undefined) show(rows ?? [], name, process.env['CHAINS_SHOW'])
    expectExceptions(`chains-${name}`, differences)
  })
})

const pkits = corpus<Row>('chains/pkits.jsonl')?.filter(({ expected }) => expected === 'valid')

it.skipIf(pkits === undefined)('the policies are those that PKITS names for each valid path', () => {
  const names = (oids: readonly string[]): string[] => oids.map(policyName).sort()
  for (const row of pkits ?? []) {
    const { failures, policies } = walk(row, 'pkits', 'any')
    if (failures.length === 0)
      expect(names(policies), row.name).toEqual([...(row.user_constrained_policy_set ?? [])].sort())
  }
})

function verdict(row: Row, corpusName: string): string {
  const purpose = TLS_PURPOSES[row.purpose]
  if (purpose === undefined) return 'not a purpose of TLS'
  if (walk(row, corpusName, purpose).failures.length > 0) return 'invalid'
  // x509-limbo asks for the name as well, by the strict reading
  if (row.peer_name === undefined) return 'valid'
  return matchHostname(new X509Certificate(row.leaf), row.peer_name.value, { scheme: 'rfc9525' }) === undefined
    ? 'invalid'
    : 'valid'
}

function show(rows: readonly Row[], corpusName: string, pattern: string): void {
  for (const row of rows) {
    const purpose = TLS_PURPOSES[row.purpose]
    if (purpose === undefined || !row.name.includes(pattern)) continue
    const { failures, path } = walk(row, corpusName, purpose)
    console.log(
      row.name,
      row.expected,
      path.length,
      failures.map(({ depth, message, code }) => `\n  ${depth} ${code} ${message}`).join(''),
    )
  }
}

function walk(row: Row, corpusName: string, purpose: PathRequest['purpose']): ReturnType<typeof validatePath> {
  const { options } = row
  const now = row.time === null ? Date.now() : Date.parse(row.time)
  const depth = options['verify_depth'] ?? options['max_chain_depth']
  return validatePath({
    chain: [row.leaf, ...row.intermediates].map(derOf),
    anchors: anchorsOf(row, purpose),
    purpose,
    now,
    ...(row.crl_check
      ? { crls: crlCheck(row.crls, { depth: 'chain', now, crlIssuers: row.intermediates.map(derOf) }) }
      : {}),
    // the rule of OpenSSL, whose cases hold the common name against constraints
    ...(corpusName === 'openssl-verify' ? { commonName: 'when-no-dns-name' } : {}),
    partialChain: options['partial_chain'] === true,
    // PKITS has DSA of 1024 bits over SHA-1; x509-limbo has the web's profile, in which 112 bits are the least
    securityLevel: Number(options['auth_level'] ?? { pkits: 0, 'limbo-2023': 2 }[corpusName] ?? 1),
    // x509-limbo holds issuers to RFC 5280's profile, as -x509_strict does
    strict: options['x509_strict'] === true || corpusName === 'limbo-2023',
    ...(depth === undefined || depth === null ? {} : { limits: { pathLength: Number(depth) } }),
    policies: {
      ...(options['initialPolicySet'] === undefined
        ? {}
        : { initialPolicySet: policyOids(options['initialPolicySet']) }),
      ...(options['policy'] === undefined ? {} : { initialPolicySet: [options['policy'] as string] }),
      explicitPolicy: options['initialExplicitPolicy'] === true || options['explicit_policy'] === true,
      inhibitAnyPolicy: options['initialInhibitAnyPolicy'] === true,
      inhibitPolicyMapping: options['initialPolicyMappingInhibit'] === true,
    },
  })
}

function policyOids(names: unknown): string[] {
  return (names as readonly string[]).map((name) =>
    name.replace(/^NIST-test-policy-/, '2.16.840.1.101.3.2.1.48.').replace(/^anyPolicy$/, '2.5.29.32.0'),
  )
}

function policyName(oid: string): string {
  return oid === '2.5.29.32.0' ? 'anyPolicy' : oid.replace('2.16.840.1.101.3.2.1.48.', 'NIST-test-policy-')
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
}

/** Through the CA store, which reads the trust settings of a TRUSTED CERTIFICATE; what they reject is distrusted whoever shows it. */
function anchorsOf({ trust_anchors }: Row, purpose: PathRequest['purpose']): AnchorSource {
  const kept: string[] = []
  const rejected: Uint8Array[] = []
  for (const pem of trust_anchors)
    if (isTrusted(pem, purpose)) kept.push(pem)
    else rejected.push(certificateIn(pem))
  const anchors =
    kept.length === 0
      ? listedAnchors([])
      : caStoreAnchors(
          loadCaStore({ certificates: kept.join('\n'), purpose: purpose === 'client' ? 'clientAuth' : 'serverAuth' }),
        )
  return { ...anchors, isDistrusted: (der) => rejected.some((one) => Buffer.compare(one, der) === 0) }
}

function isTrusted(pem: string, purpose: PathRequest['purpose']): boolean {
  try {
    return loadCaStore({ certificates: pem, purpose: purpose === 'client' ? 'clientAuth' : 'serverAuth' }).size === 1
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_CA_EMPTY') return false
    throw error
  }
}

/** Without the settings that stand behind it. */
function certificateIn(pem: string): Uint8Array {
  const der = derOf(pem)
  return der.subarray(0, new DerCursor(der).expect(Tag.SEQUENCE).contentEnd)
}
