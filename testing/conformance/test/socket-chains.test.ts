import { describe, expect, it } from 'vitest'
import { type PathRequest, validatePath } from '../../../packages/socket/src/verify/path/index.ts'
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
      const id = row.cli === undefined ? row.name : `${row.name}: ${row.cli.replaceAll(/openssl verify |test\/certs\//g, '')}`
      const actual = verdict(row, name)
      if (actual !== row.expected) differences.push({ id, expected: row.expected, actual })
    }
    if (process.env['CHAINS_SHOW'] !== undefined) show(rows ?? [], name, process.env['CHAINS_SHOW'])
    expectExceptions(`chains-${name}`, differences)
  })
})

function verdict(row: Row, corpusName: string): string {
  const purpose = TLS_PURPOSES[row.purpose]
  if (purpose === undefined) return 'not a purpose of TLS'
  return walk(row, corpusName, purpose).failures.length === 0 ? 'valid' : 'invalid'
}

function show(rows: readonly Row[], corpusName: string, pattern: string): void {
  for (const row of rows) {
    const purpose = TLS_PURPOSES[row.purpose]
    if (purpose === undefined || !row.name.includes(pattern)) continue
    const { failures, path } = walk(row, corpusName, purpose)
    console.log(row.name, row.expected, path.length, failures.map(({ depth, message, code }) => `\n  ${depth} ${code} ${message}`).join(''))
  }
}

function walk(row: Row, corpusName: string, purpose: PathRequest['purpose']): ReturnType<typeof validatePath> {
  const { options } = row
  const anchors = row.trust_anchors.map(derOf)
  const depth = options['verify_depth'] ?? options['max_chain_depth']
  return validatePath({
    chain: [row.leaf, ...row.intermediates].map(derOf),
    anchors: { isAnchor: (der) => anchors.some((anchor) => Buffer.compare(anchor, der) === 0), findIssuers: () => anchors },
    purpose,
    now: row.time === null ? Date.now() : Date.parse(row.time),
    partialChain: options['partial_chain'] === true,
    // PKITS is of 2011 and signed with RSA-2048 and SHA-1 or SHA-256; the others name their level, or mean TLS's default
    securityLevel: corpusName === 'pkits' ? 0 : Number(options['auth_level'] ?? 1),
    // x509-limbo holds issuers to RFC 5280's profile, as -x509_strict does
    strict: options['x509_strict'] === true || corpusName === 'limbo-2023',
    ...(depth === undefined || depth === null ? {} : { limits: { pathLength: Number(depth) } }),
    policies: {
      ...(options['initialPolicySet'] === undefined ? {} : { initialPolicySet: policyOids(options['initialPolicySet']) }),
      ...(options['policy'] === undefined ? {} : { initialPolicySet: [String(options['policy'])] }),
      explicitPolicy: options['initialExplicitPolicy'] === true || options['explicit_policy'] === true,
      inhibitAnyPolicy: options['initialInhibitAnyPolicy'] === true,
      inhibitPolicyMapping: options['initialPolicyMappingInhibit'] === true,
    },
  })
}

function policyOids(names: unknown): string[] {
  return (names as readonly string[]).map((name) => name.replace(/^NIST-test-policy-/, '2.16.840.1.101.3.2.1.48.').replace(/^anyPolicy$/, '2.5.29.32.0'))
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
}
