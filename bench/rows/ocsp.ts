import { sign, verify, webcrypto, X509Certificate } from 'node:crypto'
import { createOcspRequest, createOcspResponse, verifyOcspResponse } from '@x/ocsp'
import { createAuthority, type IssuedIdentity } from '@x/utils'
import { convertToPkijsCert, parseOCSPResponse } from 'easy-ocsp'
import * as pkijs from 'pkijs'
import { cpuPerCall } from '../src/cpu.ts'
import { filesOf } from '../src/files.ts'
import { outsidePeer } from '../src/outside-peer.ts'
import type { BenchRow, Subject } from '../src/row.ts'

export default async function rows(): Promise<BenchRow[]> {
  const ca = createAuthority({ subject: { commonName: 'Bench CA' } })
  const leaf = ca.issue({ names: 'www.example.org', ocspUris: ['http://ocsp.example/'] })
  const delegate = ca.issue({ subject: { commonName: 'Responder' }, extendedKeyUsage: ['OCSPSigning'] })
  const pair = { certificate: leaf.raw, issuer: ca.raw }
  const responses = [{ ...pair, status: 'good' as const }]
  const direct = createOcspResponse({ signer: ca, responses })
  const delegated = createOcspResponse({ signer: delegate, certificates: [delegate], responses })
  const bare = bareVerify(ca)
  const theirs = await peers(leaf, ca, direct, delegated)
  const { folder } = filesOf({ 'leaf.pem': leaf.certificate.toString(), 'ca.pem': ca.cert, direct, delegated })
  const original = (what: string, calls: number): (() => Promise<number>) | undefined =>
    outsidePeer('ocsp.pl', { args: [folder, what], calls })

  return [
    {
      name: 'ocsp: build a request',
      subjects: { '@x/ocsp': () => createOcspRequest(pair), pkijs: theirs.request },
      batch: 200,
      goals: [{ atMost: 10 }, { of: 'pkijs', atMost: 0.1 }],
    },
    {
      name: 'ocsp: verify a response, P-256, signed by the CA',
      subjects: {
        '@x/ocsp': () => verifyOcspResponse(direct, pair),
        'limit: bare crypto.verify': bare,
        'easy-ocsp': theirs.verify,
      },
      batch: 50,
      goals: [
        { of: 'limit: bare crypto.verify', atMost: 1.25 },
        { of: 'easy-ocsp', atMost: 0.1 },
      ],
    },
    {
      name: 'ocsp: verify a response, P-256, signed by a delegate',
      subjects: {
        '@x/ocsp': () => verifyOcspResponse(delegated, pair),
        'limit: bare crypto.verify': bare,
        pkijs: theirs.verifyByPkijs,
      },
      batch: 50,
      goals: [{ of: 'limit: bare crypto.verify', atMost: 2.5 }],
    },
    {
      name: 'ocsp: build a request, beside the original',
      measure: {
        '@x/ocsp': cpuPerCall(() => createOcspRequest(pair), 20_000),
        'the original': original('request', 20_000),
      },
      goals: [{ of: 'the original', atMost: 1 }],
    },
    {
      name: 'ocsp: verify a response, signed by a delegate, beside the original',
      measure: {
        '@x/ocsp': cpuPerCall(() => verifyOcspResponse(delegated, pair), 1000),
        'the original': original('delegated', 500),
      },
      goals: [{ of: 'the original', atMost: 0.45 }],
    },
  ]
}

/** What no verification can do without: one signature over as many bytes. */
function bareVerify({ privateKey, certificate }: IssuedIdentity): Subject {
  const data = Buffer.alloc(180, 1)
  const signature = sign('sha256', data, privateKey)
  const { publicKey } = certificate
  return () => verify('sha256', data, publicKey, signature)
}

/** easy-ocsp verifies through pkijs, and builds its requests as it does here. Certificates are parsed beforehand. */
async function peers(
  leaf: IssuedIdentity,
  ca: IssuedIdentity,
  response: Uint8Array,
  delegated: Uint8Array,
): Promise<{ request: Subject; verify: Subject; verifyByPkijs: Subject }> {
  pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as Crypto }))
  const own = [leaf, ca].map(({ raw }) => pkijs.Certificate.fromBER(Uint8Array.from(raw).buffer))
  const [certificate, issuerCertificate] = own as [pkijs.Certificate, pkijs.Certificate]
  const theirLeaf = convertToPkijsCert(new X509Certificate(leaf.raw))
  const theirCa = convertToPkijsCert(new X509Certificate(ca.raw))
  const bytes = Uint8Array.from(response).buffer
  const delegatedBytes = Uint8Array.from(delegated).buffer
  return {
    request: async () => {
      const request = new pkijs.OCSPRequest()
      await request.createForCertificate(certificate, { hashAlgorithm: 'SHA-1', issuerCertificate })
      return request.toSchema(true).toBER()
    },
    verify: () =>
      parseOCSPResponse(
        bytes,
        theirLeaf,
        theirCa,
        { ca: theirCa, validateSignature: true, ocspUrl: 'http://ocsp.example/' },
        null,
      ),
    // pkijs wants the signer's certificate in the response
    verifyByPkijs: async () => {
      const inner = pkijs.OCSPResponse.fromBER(delegatedBytes).responseBytes?.response.valueBlock.valueHexView
      const basic = pkijs.BasicOCSPResponse.fromBER(Uint8Array.from(inner ?? []).buffer)
      if (!(await basic.verify({ trustedCerts: [issuerCertificate] }))) throw new TypeError('not verified')
    },
  }
}
