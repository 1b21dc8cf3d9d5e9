import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createCrl, isRevoked, parseCrl, type RevokedOptions } from '@x/crl'
import { createAuthority } from '@x/utils'
import type { BenchRow } from '../src/row.ts'

/** 34 bytes each, with serial numbers of 15 octets: as many and as large as the largest lists of public CAs. */
const ENTRIES = 1_000_000

export default function rows(): BenchRow[] {
  const folder = mkdtempSync(join(tmpdir(), 'x-bench-crl-'))
  const ca = createAuthority({ subject: { commonName: 'Bench CA' }, purpose: 'CA,cRLSign' })
  const leaf = ca.issue('example.org')
  const { raw: certificate, privateKey } = ca
  const { der } = createCrl({ issuer: { certificate, privateKey }, revoked: revoked() })
  const path = (name: string): string => join(folder, name)
  writeFileSync(path('list.crl'), der)
  writeFileSync(path('ca.pem'), ca.cert)
  writeFileSync(path('leaf.pem'), leaf.cert)
  const command = `openssl verify -crl_check -CAfile "${path('ca.pem')}" -CRLfile "${path('list.crl')}" "${path('leaf.pem')}"`
  const openssl = hasOpenssl() ? async (): Promise<number> => cpuMilliseconds(command) : undefined
  const kept = parseCrl(der)
  return [
    {
      name: 'crl: one certificate against a list of 1 million entries (34 MB), from its file',
      measure: {
        '@x/crl': async () => fromFile(path('list.crl'), leaf.raw, ca.raw),
        'openssl verify -CRLfile': openssl,
      },
      unit: 'ms',
      goals: [{ of: 'openssl verify -CRLfile', atMost: 0.25 }],
      close: () => rmSync(folder, { recursive: true, force: true }),
    },
    {
      name: 'crl: what a list of 1 million entries takes beside its own 34 MB (33,203 KiB)',
      measure: { '@x/crl': async () => retainedKibibytes(der) },
      unit: 'KiB',
      goals: [{ atMost: 4200 }],
    },
    {
      name: 'crl: ask a list of 1 million entries that is at hand about a certificate',
      subjects: {
        '@x/crl': () => isRevoked(leaf.raw, ca.raw, { crls: kept }),
        'new X509Certificate': () => new X509Certificate(leaf.raw),
      },
      batch: 50,
      goals: [{ of: 'new X509Certificate', atMost: 1 }],
    },
  ]
}

function* revoked(): Generator<RevokedOptions> {
  for (let i = 0; i < ENTRIES; i++) {
    const serial = new Uint8Array(15).fill(0x41)
    new DataView(serial.buffer).setUint32(6, Math.imul(i, 0x9e3779b1))
    yield { serial, date: Date.UTC(2026, 0, 1) }
  }
}

function fromFile(path: string, certificate: Uint8Array, issuer: Uint8Array): number {
  const before = process.cpuUsage()
  const { status } = isRevoked(certificate, issuer, { crls: readFileSync(path) })
  if (status !== 'good') throw new Error(`the list says ${status}`)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** CPU time of a command, by the shell's `times`, whose second line is that of its children. */
function cpuMilliseconds(command: string): number {
  const output = execFileSync('/bin/sh', ['-c', `${command} >&2 || exit 1; times`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const children = output.toString().trim().split('\n').at(-1) ?? ''
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + Number(m) * 60_000 + Number(s) * 1000,
    0,
  )
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function retainedKibibytes(der: Uint8Array): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage()
  const crl = parseCrl(der)
  collect()
  const after = process.memoryUsage()
  if (crl.size !== ENTRIES) throw new Error('entries are missing')
  return (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / 1024
}
