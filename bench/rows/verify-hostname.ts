import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'
import tls from 'node:tls'
import { createAuthority } from '@x/utils'
import { matchHostname, PublicSuffixList, verifyHostname } from '@x/verify-hostname'
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
    besidePerl(),
    publicSuffix(),
    importing(),
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

function besidePerl(): MeasuredRow {
  const { certificate } = authority.issue(three)
  const calls = 20_000
  const program = `
    use IO::Socket::SSL;
    local $/; my $pem = <STDIN>;
    my $bio = Net::SSLeay::BIO_new(Net::SSLeay::BIO_s_mem()); Net::SSLeay::BIO_write($bio, $pem);
    my $cert = Net::SSLeay::PEM_read_bio_X509($bio);
    my ($user, $system) = times;
    for (1 .. ${calls}) { IO::Socket::SSL::verify_hostname_of_cert('host2.example2.com', $cert, 'default') or die }
    my ($user2, $system2) = times;
    print 1e6 * ($user2 + $system2 - $user - $system) / ${calls};`
  const original = (): number => {
    const { status, stdout } = spawnSync('perl', ['-e', program], { input: certificate.toString(), encoding: 'utf8' })
    return status === 0 ? Number(stdout) : Number.NaN
  }
  return {
    name: 'verify-hostname: one name, 3 SANs, beside the original',
    measure: {
      verifyHostname: () => {
        const before = process.cpuUsage()
        for (let i = 0; i < calls * 5; i++) verifyHostname(certificate, 'host2.example2.com')
        const { user, system } = process.cpuUsage(before)
        return Promise.resolve((user + system) / (calls * 5))
      },
      'IO::Socket::SSL': Number.isNaN(original()) ? undefined : () => Promise.resolve(original()),
    },
    goals: [{ of: 'IO::Socket::SSL', atMost: 0.15 }],
  }
}

function publicSuffix(): CallRow {
  const list = PublicSuffixList.default()
  return {
    name: 'verify-hostname: public suffix, as a wildcard is guarded',
    subjects: {
      'PublicSuffixList.default()': () => list.isBelowRegistrableDomain('www.example.co.uk'),
      psl: () => psl.get('www.example.co.uk'),
    },
    batch: 5000,
    goals: [{ of: 'psl', atMost: 0.1 }],
  }
}

/** What an import adds to the CPU time of a bare node: the least of several, since other work only ever adds. */
function importing(): MeasuredRow {
  const report =
    "process.on('exit', () => { const { user, system } = process.cpuUsage(); console.log((user + system) / 1000) })"
  const load = `import '${import.meta.resolve('@x/verify-hostname')}';`
  const cost = (source: string): number =>
    Number(spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' }).stdout)
  return {
    name: 'verify-hostname: import, over bare node',
    measure: {
      '@x/verify-hostname': () => {
        const rounds = Array.from({ length: 9 }, () => ({ bare: cost(report), loaded: cost(load + report) }))
        const least = (of: 'bare' | 'loaded'): number => Math.min(...rounds.map((round) => round[of]))
        return Promise.resolve(least('loaded') - least('bare'))
      },
    },
    unit: 'ms',
    goals: [{ atMost: 12 }],
  }
}
