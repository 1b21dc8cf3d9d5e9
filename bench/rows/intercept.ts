import { type KeyObject, sign, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { type Clone, Interceptor } from '@x/intercept'
import { createAuthority, generateKeySync } from '@x/utils'
import { cpuPerCall } from '../src/cpu.ts'
import { forgeClone, mockttpCertificate, type PeerInput, peculiarClone, pkijsClone } from '../src/intercept-peers.ts'
import { originalClone } from '../src/intercept-original.ts'
import type { BenchRow, MeasuredRow } from '../src/row.ts'

/** Every call makes a clone: nothing is kept. */
const noCache = (_ident: string, create: () => Clone): Clone => create()

export default async function rows(): Promise<BenchRow[]> {
  const cases = { 'P-256': await caseOf('ec'), 'RSA-2048': await caseOf('rsa') }
  return [
    await besideLibraries('P-256', cases['P-256'], 1.5),
    await besideLibraries('RSA-2048', cases['RSA-2048'], 1.1),
    ...besideOriginal('P-256', cases['P-256'], 0.1),
    ...besideOriginal('RSA-2048', cases['RSA-2048'], 0.5),
    toContext(cases['P-256']),
  ]
}

interface Case extends PeerInput {
  readonly interceptor: Interceptor
}

/** A CA with such a key, and a certificate of another CA with a key of the same kind, for a name and two more. */
async function caseOf(kind: 'ec' | 'rsa'): Promise<Case> {
  const ca = createAuthority({ subject: { commonName: 'Bench CA' }, privateKey: generateKeySync(kind) })
  const origin = createAuthority('Origin CA').issue({
    names: ['example.org', 'www.example.org', '192.0.2.1'],
    privateKey: generateKeySync(kind),
    ocspUris: ['http://ocsp.example'],
  })
  const leafKey: KeyObject = generateKeySync(kind)
  const { certificate, privateKey } = ca
  const interceptor = new Interceptor({ certificate, privateKey, leafKey, cache: noCache })
  return { interceptor, origin: origin.raw, ca: certificate.raw, caKey: privateKey, leafKey }
}

async function besideLibraries(name: string, input: Case, atMost: number): Promise<BenchRow> {
  const { interceptor, origin, caKey, ca } = input
  const { raw } = interceptor.clone({ raw: origin })
  const isRsa = caKey.asymmetricKeyType === 'rsa'
  return {
    name: `intercept: clone a certificate, ${name}`,
    subjects: {
      '@x/intercept': () => interceptor.clone({ raw: origin }).raw,
      'bare crypto.sign': () => sign('sha256', raw, caKey),
      'new X509Certificate': () => new X509Certificate(ca),
      '@peculiar/x509': await peculiarClone(input),
      pkijs: await pkijsClone(input),
      'mockttp (no clone: one name)': await mockttpCertificate(input),
      ...(isRsa ? { 'node-forge': await forgeClone(input) } : {}),
    },
    batch: 2,
    goals: [{ of: 'bare crypto.sign', atMost }],
  }
}

function besideOriginal(name: string, input: Case, atMost: number): MeasuredRow[] {
  const original = originalClone(input)
  return [
    {
      name: `intercept: clone a certificate, ${name}, beside the original`,
      measure: {
        '@x/intercept': cpuPerCall(() => input.interceptor.clone({ raw: input.origin }).raw, 500),
        'IO::Socket::SSL::Intercept': original?.measure,
      },
      goals: [{ of: 'IO::Socket::SSL::Intercept', atMost }],
      close: () => original?.close(),
    },
  ]
}

function toContext({ interceptor, origin }: Case): BenchRow {
  const { cert, key } = interceptor.clone({ raw: origin })
  return {
    name: 'intercept: clone to a ready SecureContext, P-256',
    subjects: {
      '@x/intercept': () => interceptor.secureContext({ raw: origin }),
      'tls.createSecureContext': () => createSecureContext({ cert, key }),
    },
    batch: 5,
    goals: [{ of: 'tls.createSecureContext', atMost: 1.1 }],
  }
}
