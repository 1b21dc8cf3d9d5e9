import { X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'
import tls from 'node:tls'
import { createAuthority } from '@x/utils'
import { matchHostname, PublicSuffixList, verifyHostname } from '@x/verify-hostname'
import { getPublicSuffix } from 'tldts'
import { cpuPerCall } from '../src/cpu.ts'
import { filesOf } from '../src/files.ts'
import { outsidePeer } from '../src/outside-peer.ts'
import type { BenchRow, CallRow, MeasuredRow } from '../src/row.ts'

const authority = createAuthority()
const some = (count: number): string[] => Array.from({ length: count }, (_, i) => `host${i}.example${i}.com`)
const three = some(3)
const many = some(101)

/** psl hides its types behind its exports map. */
const psl = createRequire(import.meta.url)('psl') as { get(host: string): string | null }

export default function rows(): BenchRow[] {
  return [
    besideNode('3 SANs', three, 'host2.example2.com', 2000, 0.8),
    besideNode('101 SANs, the last matches', many, 'host100.example100.com', 200, 0.2),
    besideNode('a wildcard', ['example.com', '*.example.com'], 'www.example.com', 2000, 0.8),
    refusing(),
    readingNames(),
    besideOthers('3 SANs', three, 'host2.example2.com', 100_000, [{ of: 'IO::Socket::SSL', atMost: 0.15 }]),
    besideOthers('101 SANs, the last matches', many, 'host100.example100.com', 10_000, []),
    publicSuffix(),
    besideOriginalList(),
  ]
}

/** The certificate is at hand: as its DER for us, as its legacy object for Node. */
function besideNode(what: string, names: readonly string[], host: string, batch: number, atMost: number): CallRow {
  const { certificate } = authority.issue(names)
  const legacy = certificate.toLegacyObject()
  // Fails here, and not in silence while it is measured.
  if (tls.checkServerIdentity(host, legacy) !== undefined) throw new TypeError(`${host} does not match`)
  verifyHostname(certificate, host)
  return {
    name: `verify-hostname: one name, ${what}`,
    subjects: {
      verifyHostname: () => verifyHostname(certificate, host),
      'tls.checkServerIdentity': () => tls.checkServerIdentity(host, legacy),
    },
    batch,
    goals: [{ of: 'tls.checkServerIdentity', atMost }],
  }
}

function refusing(): CallRow {
  const { certificate } = authority.issue(many)
  const legacy = certificate.toLegacyObject()
  return {
    name: 'verify-hostname: no name of 101 SANs matches',
    subjects: {
      matchHostname: () => matchHostname(certificate, 'www.example.org'),
      'tls.checkServerIdentity': () => tls.checkServerIdentity('www.example.org', legacy),
    },
    batch: 200,
    goals: [{ of: 'tls.checkServerIdentity', atMost: 0.2 }],
  }
}

function readingNames(): CallRow {
  const { raw } = authority.issue(three)
  return {
    name: 'verify-hostname: read the names out of DER and verify one',
    subjects: {
      verifyHostname: () => verifyHostname(raw, 'host2.example2.com'),
      'X509Certificate.subjectAltName': () => new X509Certificate(raw).subjectAltName,
    },
    batch: 500,
    goals: [{ of: 'X509Certificate.subjectAltName', atMost: 0.03 }],
  }
}

function besideOthers(
  what: string,
  names: readonly string[],
  host: string,
  calls: number,
  goals: MeasuredRow['goals'],
): MeasuredRow {
  const { certificate } = authority.issue(names)
  const { leaf } = filesOf({ leaf: certificate.toString() })
  return {
    name: `verify-hostname: one name, ${what}, beside other languages`,
    measure: {
      verifyHostname: cpuPerCall(() => verifyHostname(certificate, host), calls),
      'IO::Socket::SSL': outsidePeer('names.pl', { args: [leaf, host], calls: calls / 5 }),
      'Go crypto/x509': outsidePeer('names.go', { args: [leaf, host], calls }),
    },
    goals,
  }
}

function publicSuffix(): CallRow {
  const list = PublicSuffixList.default()
  const host = 'www.example.co.uk'
  return {
    name: 'verify-hostname: public suffix, as a wildcard is guarded',
    subjects: {
      'PublicSuffixList.default()': () => list.isBelowRegistrableDomain(host),
      psl: () => psl.get(host),
      tldts: () => getPublicSuffix(host, { allowPrivateDomains: true }),
    },
    batch: 5000,
    goals: [{ of: 'psl', atMost: 0.1 }],
  }
}

function besideOriginalList(): MeasuredRow {
  const list = PublicSuffixList.default()
  const host = 'www.example.co.uk'
  return {
    name: 'verify-hostname: public suffix, beside the original',
    measure: {
      'PublicSuffixList.default()': cpuPerCall(() => list.isBelowRegistrableDomain(host), 500_000),
      'IO::Socket::SSL::PublicSuffix': outsidePeer('suffix.pl', { args: [host], calls: 20_000 }),
    },
    goals: [{ of: 'IO::Socket::SSL::PublicSuffix', atMost: 0.1 }],
  }
}
