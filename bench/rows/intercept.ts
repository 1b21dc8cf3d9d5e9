import { type KeyObject, sign, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { type Clone, Interceptor } from '@x/intercept'
import { certificateToPem, createAuthority, generateKeySync, privateKeyToPem } from '@x/utils'
import { cpuPerCall } from '../src/cpu.ts'
import { filesOf } from '../src/files.ts'
import { forgeClone, mockttpCertificate, type PeerInput, peculiarClone, pkijsClone } from '../src/intercept-peers.ts'
import { outsidePeer } from '../src/outside-peer.ts'
import type { BenchRow, MeasuredRow, RowMaker } from '../src/row.ts'

/** Every call makes a clone: nothing is kept. */
const noCache = (_ident: string, create: () => Clone): Clone => create()

export default function rows(): RowMaker[] {
  return [
    { name: 'intercept: clone a certificate, P-256', make: (): Promise<BenchRow> => besideLibraries('ec', 1.5) },
    { name: 'intercept: clone a certificate, RSA-2048', make: (): Promise<BenchRow> => besideLibraries('rsa', 1.1) },
    { name: 'intercept: clone a certificate, P-256, beside the original', make: () => besideOriginal('ec', 0.1) },
    { name: 'intercept: clone a certificate, RSA-2048, beside the original', make: () => besideOriginal('rsa', 0.5) },
    { name: 'intercept: clone to a ready SecureContext, P-256', make: toContext },
  ]
}

type KeyKind = 'ec' | 'rsa'
const KEYS = { ec: 'P-256', rsa: 'RSA-2048' } as const

interface Case extends PeerInput {
  readonly interceptor: Interceptor
}

/** A CA with such a key, and a certificate of another CA with a key of the same kind, for a name and two more. */
function caseOf(kind: KeyKind): Case {
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

async function besideLibraries(kind: KeyKind, atMost: number): Promise<BenchRow> {
  const input = caseOf(kind)
  const { interceptor, origin, caKey, ca } = input
  const { raw } = interceptor.clone({ raw: origin })
  return {
    name: `intercept: clone a certificate, ${KEYS[kind]}`,
    subjects: {
      '@x/intercept': () => interceptor.clone({ raw: origin }).raw,
      'limit: bare crypto.sign': () => sign('sha256', raw, caKey),
      'new X509Certificate': () => new X509Certificate(ca),
      '@peculiar/x509': await peculiarClone(input),
      pkijs: await pkijsClone(input),
      'mockttp (no clone: one name)': await mockttpCertificate(input),
      ...(kind === 'rsa' ? { 'node-forge': await forgeClone(input) } : {}),
    },
    batch: 2,
    goals: [{ of: 'limit: bare crypto.sign', atMost }],
  }
}

function besideOriginal(kind: KeyKind, atMost: number): MeasuredRow {
  const input = caseOf(kind)
  const { folder } = filesOf({
    'origin.pem': certificateToPem({ raw: input.origin }),
    'ca.pem': certificateToPem({ raw: input.ca }),
    'ca.key': privateKeyToPem(input.caKey),
    'leaf.key': privateKeyToPem(input.leafKey),
  })
  return {
    name: `intercept: clone a certificate, ${KEYS[kind]}, beside the original`,
    measure: {
      '@x/intercept': cpuPerCall(() => input.interceptor.clone({ raw: input.origin }).raw, kind === 'ec' ? 4000 : 500),
      'IO::Socket::SSL::Intercept': outsidePeer('clone.pl', { args: [folder], calls: 1000 }),
    },
    goals: [{ of: 'IO::Socket::SSL::Intercept', atMost }],
  }
}

function toContext(): BenchRow {
  const { interceptor, origin, ca: certificate, caKey: privateKey, leafKey } = caseOf('ec')
  const caching = new Interceptor({ certificate: new X509Certificate(certificate), privateKey, leafKey })
  const { cert, key, raw } = interceptor.clone({ raw: origin })
  return {
    name: 'intercept: clone to a ready SecureContext, P-256',
    subjects: {
      '@x/intercept': () => interceptor.secureContext({ raw: origin }),
      'tls.createSecureContext': () => createSecureContext({ cert, key }),
      'limit: crypto.sign, then it': () => [sign('sha256', raw, privateKey), createSecureContext({ cert, key })],
      '@x/intercept, with its cache': () => caching.secureContext({ raw: origin }),
    },
    batch: 100,
    goals: [{ of: 'tls.createSecureContext', atMost: 1.1 }],
  }
}
